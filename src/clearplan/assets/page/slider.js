// plan {
var everyPlace = data.zones.concat(plan.unplaced);

function placeStyle(zone) {
  var point = zone.shape.type === "point";
  if (stop < 0) { return { weight: 2, dashArray: null, fillColor: "#73A2C6", fillOpacity: point ? 0.9 : 0.35 }; }
  var open = isOpen(zone, stop);
  return { weight: open ? 2 : 2.4, dashArray: zone.plan.opens === null ? "3 3" : null,
    fillColor: open ? PLACE_LINE : "#FFFFFF", fillOpacity: open ? point ? 1 : 0.6 : point ? 0.85 : 0 };
}

function rounded(people) {
  var step = people >= 1000 ? 100 : people >= 100 ? 10 : 1;
  return figure(Math.round(people / step) * step, 0);
}

function homeWords(k) {
  var open = everyPlace.filter(function (zone) { return isOpen(zone, k); });
  var known = open.filter(function (zone) { return zone.people !== null; });
  var people = known.reduce(function (sum, zone) { return sum + zone.people; }, 0);
  var unknown = open.length - known.length;
  return (k === 0 ? "At the start, " : "By ") + dayWords(plan.stops[k][1]) + ": " + open.length + " of " + everyPlace.length
    + " places open, " + (open.length ? "" : "nobody home yet")
    + (known.length ? "about " + rounded(people) + " people home" : "") + (known.length && unknown ? ", " : "")
    + (unknown ? "people of " + unknown + (unknown === 1 ? " place" : " places") + " unknown" : "")
    + " (plan, not a promise)";
}

function legendOfStop() {
  function row(swatch) {
    var item = element("li", null, "stop");
    if (swatch) { item.innerHTML = '<svg width="28" height="18" aria-hidden="true">' + swatch + "</svg>"; }
    item.appendChild(element("span"));
    return item;
  }
  function outline(own, rest) {
    return '<rect x="2" y="3" width="24" height="12" fill="' + own.fill + '" stroke="' + own.line + '" ' + rest + "/>";
  }
  function place(rest) { return '<circle cx="14" cy="9" r="6" stroke="' + PLACE_LINE + '" stroke-width="2" ' + rest + "/>"; }
  return [
    row(null),
    row(outline(PLANNED, 'fill-opacity="0.4" stroke-width="2" stroke-dasharray="5 3"')),
    row(outline(UNDER_WAY, 'fill-opacity="0.9" stroke-width="2"')),
    row(outline({ line: "#444444", fill: "none" }, 'stroke-width="0.8"')),
    row(place('fill="' + PLACE_LINE + '"')), row(place('fill="#fff"')), row(place('fill="#fff" stroke-dasharray="3 3"'))
  ];
}
var stopRows = legendOfStop();
stopRows.forEach(function (item) { document.querySelector("#legend ul").appendChild(item); });

function toStop(k) {
  var slider = document.getElementById("plan-stop"), shown = k >= 0;
  stop = k;
  document.body.classList.toggle("plan-shown", shown);
  document.getElementById("plan-day").textContent = shown ? dayWords(plan.stops[k][1]) : "today (plan not shown)";
  document.getElementById("plan-words").textContent = shown ? homeWords(k) + "."
    : "Move the slider to see what is planned to be open by a day.";
  document.getElementById("plan-caution").textContent = shown
    ? "Nothing is released by a plan: ground stays hazard until its release is decided."
    : "The map shows the hazards as at " + about.as_at + ", without the plan.";
  slider.setAttribute("aria-valuetext", shown ? homeWords(k) + ", " + plan.stops[k][0] : "today, the plan is not shown");
  map.invalidateSize({ pan: false });
  data.tasks.forEach(function (task) { layerOf[task.id].setStyle(taskStyle(task)); });
  placeMarkers.forEach(function (own) { own.marker.setStyle(placeStyle(own.zone)); });
  if (!shown) { return; }
  var finished = data.tasks.filter(isFinished).length, under = data.tasks.filter(isUnderWay).length;
  var gated = gatedTasks.filter(function (task) { return !isFinished(task) && !isUnderWay(task); }).length;
  ["The plan " + (k === 0 ? "at its start" : "by " + dayWords(plan.stops[k][1])) + ". It releases nothing",
    "Planned to be released by then, hazard until decided (" + figure(finished, 0) + ")",
    "Planned to be under way then (" + figure(under, 0) + ")",
    "Not begun by then, or not in the plan (" + figure(data.tasks.length - finished - under - gated, 0) + ")",
    "Place planned to be open by then", "Place not open by then", "Place that never opens in the plan"
  ].forEach(function (words, n) { stopRows[n].lastChild.textContent = words; });
}

function goToPlace(own) {
  var where = own.marker.getBounds ? own.marker.getBounds().getCenter() : own.marker.getLatLng();
  map.setView(where, Math.max(map.getZoom(), 11), { animate: false });
  popup(where, describeZone(own.zone));
}

// Places by the day on which they open; those that never do stand apart, with the reason.
function listOpenings() {
  var markers = data.zones.map(function (zone, k) { return placeMarkers[k]; });
  function fill(id, wanted, title, words) {
    var holder = document.getElementById(id), own = everyPlace.map(function (zone, k) { return { zone: zone, marker: markers[k] }; });
    own = own.filter(function (one) { return wanted(one.zone); });
    own.sort(function (a, b) { return a.zone.plan.opens - b.zone.plan.opens; });
    own.forEach(function (one) {
      var item = element("li");
      if (one.marker) {
        var button = element("button", one.zone.name, "link");
        button.type = "button";
        button.addEventListener("click", function () { goToPlace(one.marker); });
        item.appendChild(button);
      } else {
        item.appendChild(element("b", one.zone.name + " (not on the map) "));
      }
      item.appendChild(element("span", words(one.zone)));
      holder.querySelector("ul").appendChild(item);
      followers.push({ node: item, kept: function () { return isKeptPlace(one.zone); } });
    });
    holder.querySelector("summary").textContent = title + ": " + figure(own.length, 0);
    holder.open = own.length <= FOLDED;
    holder.hidden = !own.length;
    return own.length;
  }
  var opening = fill("opening", function (zone) { return zone.plan.opens !== null; }, "Planned to open", function (zone) {
    return (zone.plan.opens === 0 ? "from the start" : "by " + dayWords(plan.stops[zone.plan.opens][1]))
      + (zone.plan.probability === null ? "" : ", in " + share(zone.plan.probability) + " of the draws");
  });
  fill("never", function (zone) { return zone.plan.opens === null; }, "Never open in the plan", function (zone) {
    return zone.plan.why || "no reason given";
  });
  document.querySelector("#openings > p").textContent = opening + " of " + everyPlace.length
    + " places are planned to be open by " + stopWords(lastStop()) + ". A plan, not a promise.";
}

(function () {
  var slider = document.getElementById("plan-stop");
  slider.min = -1;
  slider.max = lastStop();
  slider.step = 1;
  slider.value = -1;
  document.getElementById("plan-to").textContent = plan.stops[lastStop()][0];
  slider.addEventListener("input", function () { toStop(Number(slider.value)); });
  listOpenings();
  // Cards of places are read beside the legend, not under it, where the map is wide enough for both.
  if (!phone && map.getSize().x > 800) { L.Popup.mergeOptions({ autoPanPaddingTopLeft: [312, 12] }); }
  toStop(-1);
})();
// } plan
