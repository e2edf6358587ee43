// --- minefield records: shape as recorded, and how far each point may be from where it is drawn ----------------

function describeRecord(record) {
  var box = element("div", null, "card");
  box.appendChild(element("h3", say("Record {record}", { record: record.id })));
  if (record.undrawn) {
    box.appendChild(tell("p", say("This field could NOT be drawn: it is a hazard whose place is not known, measured from this reference point. {reason}"),
      { reason: said(record.undrawn) }, "assumed"));
  } else {
    box.appendChild(element("p", say("{class}. Position error {error} m (95 %).", { class: say(CLASS_WORDS[record.class]), error: figure(record.error_m, 0) })));
  }
  var told = [];
  if (record.number) { told.push(say("number {number}", { number: record.number })); }
  if (record.sheet) { told.push(say("sheet {sheet}", { sheet: record.sheet })); }
  told.push(say("reliability {share} of 1 by the planner", { share: figure(record.reliability, 2) }));
  if (record.misclosure_m !== null && !record.blunder) { told.push(say("misclosure {error} m", { error: figure(record.misclosure_m, 0) })); }
  box.appendChild(element("p", told.join(", ") + "."));
  if (record.blunder) {
    box.appendChild(element("p", say("BLUNDER: misclosure {error} m, over its limit of {limit} m. "
      + "A bearing or a distance is wrong; rings and position error are widened by it.",
    { error: figure(record.misclosure_m, 0), limit: figure(record.limit_m, 0) }), "assumed"));
  }
  if (record.anchored) { box.appendChild(element("p", say("Moved to a surveyed landmark; the version as recorded is kept."))); }
  if (!record.undrawn && !record.blunder) {
    box.appendChild(element("p", say("Triangle: reference point. Rings: each holds the true point with 95 % probability."), "quiet"));
  }
  box.appendChild(element("p", say("Quality sheet: records.html of the same run, record {record}.", { record: record.id }), "quiet"));
  box.appendChild(element("p", say(record.source), "quiet"));
  return box;
}

function recordTitle(record) {
  return record.undrawn ? say("record {record}, field not drawn", { record: record.id }) : say("record {record}", { record: record.id });
}

function recordLabel(record) {
  return record.undrawn ? say("{record}: field NOT drawn", { record: record.id }) : record.id;
}

function triangle(filled) {
  var picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("width", "13");
  picture.setAttribute("height", "12");
  var path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M6.5 1L12 11H1z");
  path.setAttribute("fill", filled ? "#4a2c12" : "#ffffff");
  path.setAttribute("stroke", "#4a2c12");
  path.setAttribute("stroke-width", "1.6");
  picture.appendChild(path);
  return picture;
}

var recordOf = {};
data.records.forEach(function (record) { recordOf[record.id] = record; });

if (data.records.length) {
  var drawnRecords = L.layerGroup();
  data.records.forEach(function (record) {
    record.rings.forEach(function (ring) {
      if (ring[2] === null) { return; }
      drawnRecords.addLayer(L.circle([ring[1], ring[0]], still(svg.contact, {
        radius: ring[2], color: record.blunder && !ring[3] ? "#b2182b" : "#4a2c12", weight: 1.2, opacity: 0.9,
        dashArray: ring[3] ? null : "3 3", fill: false
      })));
    });
    record.legs.forEach(function (leg) {
      drawnRecords.addLayer(L.polyline([[leg[1], leg[0]], [leg[3], leg[2]]],
        still(svg.contact, { color: "#4a2c12", weight: 1.2, dashArray: "1 4" })));
    });
    if (record.shape) {
      drawnRecords.addLayer(draw(record.shape, still(svg.contact, { color: "#4a2c12", weight: 2, fill: false, radius: 3 })));
    }
    record.rings.forEach(function (ring) {
      if (!ring[3]) { return; }
      var marker = L.marker([ring[1], ring[0]], {
        icon: L.divIcon({ html: triangle(record.undrawn), className: "reference", iconSize: [24, 24], iconAnchor: [12, 13.5] }),
        keyboard: false,
        title: recordTitle(record)
      });
      var label = element("span");
      onWords(function () { write(label, recordLabel(record)); });
      entitle(marker, function () { return recordTitle(record); });
      marker.bindTooltip(label,
        { permanent: true, direction: "bottom", className: "label record", offset: [0, 4] });
      marker.on("click", function () { popup(marker.getLatLng(), function () { return describeRecord(record); }); });
      drawnRecords.addLayer(marker);
    });
  });
  add(term("Minefield records, reference points and 95 % rings"), drawnRecords,
    '<circle cx="14" cy="9" r="7.5" fill="none" stroke="#4a2c12" stroke-dasharray="3 3"/><path d="M14 4L18 12H10z" fill="#fff" stroke="#4a2c12" stroke-width="1.6"/>');
}

// Where labels would lie on one another, the place with more people keeps its label.
labels.sort(function (a, b) { return b.people - a.people; });

function placeLabels() {
  var taken = [];
  labels.forEach(function (label) {
    if (!isKeptPlace(label.zone)) { return; }
    var tip = label.marker.getTooltip() && label.marker.getTooltip().getElement();
    if (!tip) { return; }
    tip.style.visibility = "visible";
    var own = tip.getBoundingClientRect();
    var free = taken.every(function (other) {
      return own.right < other.left || own.left > other.right || own.bottom < other.top || own.top > other.bottom;
    });
    tip.style.visibility = free ? "visible" : "hidden";
    if (free) { taken.push(own); }
  });
}
