// A phone's map is too small for a bubble with a table: there the sheet below tells.
function popup(where, content) {
  if (phone) {
    var detail = document.getElementById("detail");
    var close = element("button", "Close", "close");
    close.type = "button";
    close.addEventListener("click", function () { detail.replaceChildren(); });
    detail.replaceChildren(close, content);
    document.getElementById("panel").scrollTop = 0;
    map.panTo(where, { animate: false });
    return;
  }
  L.popup({ maxWidth: 430, minWidth: 330, autoPanPadding: [12, 12] })
    .setLatLng(where).setContent(content).openOn(map);
}

function explanation(task) {
  var table = element("table");
  var head = table.createTHead().insertRow();
  ["Criterion", "Figure", "Value 0-1", "Weight", "Points"].forEach(function (name) { head.appendChild(element("th", name)); });
  var body = table.createTBody();
  task.figures.forEach(function (own, k) {
    if (own[2] === null) { return; }
    var row = body.insertRow();
    row.appendChild(element("td", data.criteria[k].label));
    row.appendChild(element("td", raw(own[0], data.criteria[k].unit)));
    row.appendChild(element("td", figure(own[1], 3)));
    row.appendChild(element("td", figure(own[2], 1)));
    row.appendChild(element("td", figure(own[3], 2), "points"));
  });
  var foot = table.createTFoot().insertRow();
  ["Score of 100", "", "", "", figure(task.score, 2)].forEach(function (text) { foot.appendChild(element("td", text)); });
  return table;
}

function listed(names, most) {
  var shown = names.slice(0, most).join(", ");
  return names.length > most ? shown + " and " + (names.length - most) + " more" : shown;
}

// A share of draws is a count of chances: none of them, or all, is only said where it is so.
function share(part) {
  if (part > 0 && part < 0.01) { return "below 1 %"; }
  if (part < 1 && part > 0.99) { return "over 99 %"; }
  return Math.round(100 * part) + " %";
}

// How sure the rank is, in sentences; none where nothing was drawn.
function howSure(task) {
  var told = [];
  if (task.priority) {
    told.push("Priority class: " + (PRIORITY_WORDS[task.priority] || task.priority)
      + (task.class_share === undefined ? "" : isUnsure(task) ? "; its likeliest class holds " + share(task.class_share)
        + " of the draws" : ", in " + share(task.class_share) + " of the draws") + ".");
  }
  var chances = [];
  if (task.first_share !== undefined) {
    chances.push("among the first " + (data.first ? data.first + " " : "") + "in " + share(task.first_share) + " of the draws");
  }
  if (task.between) {
    chances.push((task.between[0] === task.between[1] ? "rank " + task.between[0]
      : "rank between " + task.between[0] + " and " + task.between[1]) + " in 90 % of the draws");
  }
  if (chances.length) { told.push("With weights and uncertain figures drawn anew: " + chances.join(", ") + "."); }
  if (task.tied) { told.push("Tied with " + task.tied + ": their order flips too often to put one before the other."); }
  if (task.change) { told.push(task.change); }
  return told;
}

function place(task) {
  var points = figure(task.score, 1) + " of 100 points.";
  return isGated(task) ? "No rank in the " + task.queue + " queue until its gate opens; " + points
    : "Rank " + task.rank + " of " + task.of + " in the " + task.queue + " queue, " + points;
}

function describe(task) {
  var box = element("div", null, "card");
  box.appendChild(element("h3", task.id));
  box.appendChild(element("p", place(task)));
  if (task.gates) { box.appendChild(element("p", "Behind a gate: " + task.gates, "gate")); }
  // plan {
  box.appendChild(paragraphs(workWords(task)));
  // } plan
  var sure = element("div", null, "sure");
  howSure(task).forEach(function (words) { sure.appendChild(element("p", words)); });
  if (sure.childNodes.length) { box.appendChild(sure); }
  box.appendChild(element("p", CLASS_WORDS[task.class] + ", " + figure(task.ha, 1) + " ha, "
    + (task.district || "outside every district given") + "."
    + (task.told ? "" : " Position error up to " + raw(task.error_m, "m") + ".")));
  if (task.told) { box.appendChild(element("p", task.told)); }
  if (task.expected[0] !== null) {
    box.appendChild(element("p", "Expected to be contaminated: " + figure(task.expected[0] / 1e4, 1) + " ha (90 % interval "
      + figure(task.expected[1] / 1e4, 1) + " to " + figure(task.expected[2] / 1e4, 1) + ")"
      + (task.expected[3] > 5000 ? "; of " + figure(task.expected[3] / 1e4, 1) + " ha nobody knows" : "") + "."));
  }
  box.appendChild(explanation(task));
  if (task.unknown) {
    box.appendChild(element("p", "Assumed: " + figure(task.assumed, 0) + " people for " + task.unknown
      + " place(s) whose number nobody has published.", "assumed"));
  }
  // Of a published cell neither places nor hazards are named, which does not say that there are none.
  if (!task.told) {
    box.appendChild(element("p", task.zones.length ? "Affects: " + listed(task.zones, 8) : "Affects no listed place.", "quiet"));
    box.appendChild(element("p", "Made of: " + listed(task.hazards, 8), "quiet"));
  }
  task.hazards.forEach(function (hazard) {
    if (!recordOf[hazard]) { return; }
    var button = element("button", "Record " + hazard, "link");
    button.type = "button";
    button.addEventListener("click", function () { popup(layerOf[task.id].getBounds().getCenter(), describeRecord(recordOf[hazard])); });
    box.appendChild(button);
  });
  if (about.illustrative) { box.appendChild(element("p", about.illustrative, "quiet")); }
  return box;
}

function show(task, where) {
  var box = describe(task), here = surfaceWords(where);
  if (here) { box.insertBefore(here, box.querySelector("table")); }
  popup(where, box);
}

// Beyond all tasks a click still tells what the surface knows.
map.on("click", function (event) {
  var here = surfaceWords(event.latlng);
  if (!here) { return; }
  var box = element("div", null, "card");
  box.appendChild(here);
  popup(event.latlng, box);
});

// Where classes colour the outlines, a swatch in the hazard's colour would say what is not drawn.
var classed = data.tasks.some(function (task) { return Boolean(task.priority); });

function taskSwatch(fill, line) {
  return classed ? null : '<rect x="2" y="3" width="24" height="12" fill="' + fill + '" fill-opacity="0.2" stroke="' + line
    + '" stroke-width="3"/>';
}

if (gatedTasks.length) {
  add("Behind a gate, no rank until it opens", polygons(gatedTasks),
    '<rect x="2" y="3" width="24" height="12" fill="#9A9A9A" fill-opacity="0.7" stroke="#5A5A5A" stroke-width="2" stroke-dasharray="1 4" stroke-linecap="round"/>');
}
// plan {
var belowRanks = layers.length;
// } plan
add("Tasks to survey", taskLayer("survey"), taskSwatch("#F4A718", "#8A5A00"));
add("Tasks to clear", taskLayer("clearance"), taskSwatch("#FF0000", "#7A0000"));
if (classed) { addClasses(); }

// plan {
layers.slice(belowRanks).forEach(function (entry) { entry.ranks = true; });
// } plan

// Legend alone: the queues' layers hold the tasks. Listed from the bottom, as all layers are.
function addClasses() {
  function outline(own, dashed) {
    return '<rect x="2" y="3" width="24" height="12" fill="' + own.line + '" fill-opacity="0.15" stroke="' + own.line
      + '" stroke-width="' + (own.weight + 0.6) + '"' + (dashed ? ' stroke-dasharray="5 4"' : "") + "/>";
  }
  if (data.tasks.some(isUnsure)) {
    layers.push({ name: "Dashed, from afar paler: of this class or a lower one, nobody can tell", layer: null, swatch: outline(PRIORITY.high, true) });
  }
  ["low", "medium", "high"].forEach(function (name) {
    if (!data.tasks.some(function (task) { return priorityOf(task) === PRIORITY[name]; })) { return; }
    layers.push({ name: PRIORITY[name].words, layer: null, swatch: outline(PRIORITY[name], false) });
  });
}
