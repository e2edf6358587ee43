// plan {
var everyPlace = data.zones.concat(plan.unplaced);
// Places that people wait for, or may: those that are lived in while nobody waits don't open.
var awaited = everyPlace.filter(function (zone) { return !nobodyWaits(zone); });

function placeStyle(zone) {
  var point = zone.shape.type === "point";
  if (stop < 0 || nobodyWaits(zone)) { return { weight: 2, dashArray: null, fillColor: "#73A2C6", fillOpacity: point ? 0.9 : 0.35 }; }
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
  var home = open.length ? [] : [say("none of those who wait home yet")];
  if (known.length) { home.push(say("about {people} of those who wait home", { people: rounded(people) })); }
  if (unknown) { home.push(say("how many wait unknown in {count} place|how many wait unknown in {count} places", { count: unknown })); }
  var own = { day: dayWords(plan.stops[k][1]), open: open.length, all: awaited.length, home: home.join(", ") };
  return k === 0 ? say("At the start, {day}: {open} of {all} places open, {home} (plan, not a promise)", own)
    : say("By {day}: {open} of {all} places open, {home} (plan, not a promise)", own);
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
  document.getElementById("plan-day").textContent = shown ? dayWords(plan.stops[k][1]) : say("today (plan not shown)");
  document.getElementById("plan-words").textContent = shown ? homeWords(k) + "."
    : say("Move the slider to see what is planned to be open by a day.");
  document.getElementById("plan-caution").textContent = shown
    ? say("Nothing is released by a plan: ground stays hazard until its release is decided.")
    : say("The map shows the hazards as at {day}, without the plan.", { day: say(about.as_at) });
  slider.setAttribute("aria-valuetext", shown ? homeWords(k) + ", " + periodWords(k) : say("today, the plan is not shown"));
  map.invalidateSize({ pan: false });
  restyleTasks();
  placeMarkers.forEach(function (own) { own.marker.setStyle(placeStyle(own.zone)); });
  if (!shown) { return; }
  var finished = data.tasks.filter(isFinished).length, under = data.tasks.filter(isUnderWay).length;
  var gated = gatedTasks.filter(function (task) { return !isFinished(task) && !isUnderWay(task); }).length;
  [k === 0 ? say("The plan at its start. It releases nothing")
      : say("The plan by {day}. It releases nothing", { day: dayWords(plan.stops[k][1]) }),
    say("Planned to be released by then, hazard until decided ({number})", { number: figure(finished, 0) }),
    say("Planned to be under way then ({number})", { number: figure(under, 0) }),
    say("Not begun by then, or not in the plan ({number})", { number: figure(data.tasks.length - finished - under - gated, 0) }),
    say("Place planned to be open by then"), say("Place not open by then"), say("Place that never opens in the plan")
  ].forEach(function (words, n) { write(stopRows[n].lastChild, words); });
}

function goToPlace(own) {
  var where = own.marker.getBounds ? own.marker.getBounds().getCenter() : own.marker.getLatLng();
  map.setView(where, Math.max(map.getZoom(), 11), { animate: false });
  popup(where, function () { return describeZone(own.zone); });
}

// Places by the day on which they open; those that never do stand apart, with the reason.
function listOpenings() {
  var markers = data.zones.map(function (zone, k) { return placeMarkers[k]; });
  function fill(id, wanted, title, words) {
    var holder = document.getElementById(id), own = everyPlace.map(function (zone, k) { return { zone: zone, marker: markers[k] }; });
    own = own.filter(function (one) { return wanted(one.zone); });
    own.sort(function (a, b) { return a.zone.plan.opens - b.zone.plan.opens; });
    holder.querySelector("ul").replaceChildren();
    own.forEach(function (one) {
      var item = element("li");
      if (one.marker) {
        var button = element("button", one.zone.name, "link");
        button.type = "button";
        button.addEventListener("click", function () { goToPlace(one.marker); });
        item.appendChild(button);
      } else {
        item.appendChild(element("b", say("{place} (not on the map)", { place: one.zone.name }) + " "));
      }
      item.appendChild(element("span", words(one.zone)));
      holder.querySelector("ul").appendChild(item);
      followers.push({ node: item, kept: function () { return isKeptPlace(one.zone); } });
    });
    holder.querySelector("summary").textContent = title + ": " + figure(own.length, 0);
    if (!holder.dataset.told) { holder.open = own.length <= FOLDED; }
    holder.dataset.told = "yes";
    holder.hidden = !own.length;
    return own.length;
  }
  var opening = fill("opening", function (zone) { return zone.plan.opens !== null; }, say("Planned to open"), function (zone) {
    var day = zone.plan.opens === 0 ? say("from the start") : say("by {day}", { day: openingDay(zone.plan) });
    if (zone.home > 0) { day += " (" + say("for those who wait; {number} already home", { number: figure(zone.home, 0) }) + ")"; }
    return zone.plan.probability === null ? day
      : say("{day}, in {share} of the draws", { day: day, share: share(zone.plan.probability) });
  });
  fill("lived", nobodyWaits, say("Lived in, nobody waits: nothing opens"), peopleWords);
  fill("never", function (zone) { return zone.plan.opens === null && !nobodyWaits(zone); }, say("Never open in the plan"), function (zone) {
    return zone.plan.why ? say(zone.plan.why) : say("no reason given");
  });
  document.querySelector("#openings > p").textContent = say("{open} of {all} places are planned to be open by {stop}. A plan, not a promise.",
    { open: opening, all: awaited.length, stop: stopWords(lastStop()) });
}

(function () {
  var slider = document.getElementById("plan-stop");
  slider.min = -1;
  slider.max = lastStop();
  slider.step = 1;
  slider.value = -1;
  onWords(function () { write(document.getElementById("plan-to"), periodWords(lastStop())); });
  slider.addEventListener("input", function () { toStop(Number(slider.value)); });
  onWords(listOpenings);
  // Cards of places are read beside the legend, not under it, where the map is wide enough for both.
  if (!phone && map.getSize().x > 800) { L.Popup.mergeOptions({ autoPanPaddingTopLeft: [312, 12] }); }
  onWords(function () { toStop(stop); });
})();
// } plan
