// A phone's map is too small for a bubble with a table: there the sheet below tells.
// A card is drawn by a function, so that it can be told anew in another language while it is open.
var shownCard = null;
function popup(where, drawCard) {
  var content = drawCard();
  leaveFrom();
  if (phone) {
    var detail = document.getElementById("detail");
    var close = element("button", say("Close"), "close");
    close.type = "button";
    close.addEventListener("click", function () {
      emptySheet();
      comeBack();
    });
    detail.replaceChildren(close, content);
    document.getElementById("panel").scrollTop = 0;
    map.panTo(where, { animate: false });
    shownCard = { where: where, draw: drawCard };
    enter(detail, content);
    return;
  }
  var bubble = L.popup({ maxWidth: 430, minWidth: 330, autoPanPadding: [12, 12] })
    .setLatLng(where).setContent(content).openOn(map);
  shownCard = { where: where, draw: drawCard };
  enter(bubble.getElement().querySelector(".leaflet-popup-content"), content);
}

function explanation(task) {
  var table = element("table");
  var head = table.createTHead().insertRow();
  [say("Criterion"), say("Figure"), say("Value 0-1"), say("Weight"), say("Points")].forEach(function (name) { head.appendChild(element("th", name)); });
  var body = table.createTBody();
  task.figures.forEach(function (own, k) {
    if (own[2] === null) { return; }
    var row = body.insertRow();
    row.appendChild(element("td", say(data.criteria[k].label)));
    row.appendChild(element("td", raw(own[0], data.criteria[k].unit)));
    row.appendChild(element("td", figure(own[1], 3)));
    row.appendChild(element("td", figure(own[2], 1)));
    row.appendChild(element("td", figure(own[3], 2), "points"));
  });
  var foot = table.createTFoot().insertRow();
  [say("Score of 100"), "", "", "", figure(task.score, 2)].forEach(function (text) { foot.appendChild(element("td", text)); });
  return table;
}

function listed(names, most) {
  var shown = names.slice(0, most).join(", ");
  return names.length > most ? say("{names} and {number} more", { names: shown, number: names.length - most }) : shown;
}

// A share of draws is a count of chances: none of them, or all, is only said where it is so.
function share(part) {
  if (part > 0 && part < 0.01) { return say("below {number} %", { number: 1 }); }
  if (part < 1 && part > 0.99) { return say("over {number} %", { number: 99 }); }
  return Math.round(100 * part) + " %";
}

// How sure the rank is, in sentences; none where nothing was drawn.
function howSure(task) {
  var told = [];
  if (task.priority) {
    var named = { name: say(PRIORITY_WORDS[task.priority] || task.priority), share: share(task.class_share) };
    told.push(task.class_share === undefined ? say("Priority class: {name}.", named)
      : isUnsure(task) ? say("Priority class: {name}; its likeliest class holds {share} of the draws.", named)
      : say("Priority class: {name}, in {share} of the draws.", named));
  }
  var chances = [];
  if (task.first_share !== undefined) {
    var early = { share: share(task.first_share), number: data.first };
    chances.push(data.first ? say("among the first {number} in {share} of the draws", early)
      : say("among the first in {share} of the draws", early));
  }
  if (task.between) {
    var ends = { low: task.between[0], high: task.between[1] };
    chances.push(ends.low === ends.high ? say("rank {low} in 90 % of the draws", ends)
      : say("rank between {low} and {high} in 90 % of the draws", ends));
  }
  if (chances.length) { told.push(say("With weights and uncertain figures varied: {chances}.", { chances: chances.join(", ") })); }
  if (task.tied) { told.push(say("Tied with {tasks}: their order flips too often to put one before the other.", { tasks: task.tied })); }
  if (task.change) { told.push(say(task.change)); }
  return told;
}

function place(task) {
  var own = { rank: task.rank, of: task.of, points: figure(task.score, 1) };
  if (task.queue === "survey") {
    return isGated(task) ? say("No rank in the survey queue until its gate opens; {points} of 100 points.", own)
      : say("Rank {rank} of {of} in the survey queue, {points} of 100 points.", own);
  }
  return isGated(task) ? say("No rank in the clearance queue until its gate opens; {points} of 100 points.", own)
    : say("Rank {rank} of {of} in the clearance queue, {points} of 100 points.", own);
}

function describe(task) {
  var box = element("div", null, "card");
  box.appendChild(element("h3", task.id));
  box.appendChild(element("p", place(task)));
  if (task.gates) { box.appendChild(tell("p", say("Behind a gate: {reason}"), { reason: said(task.gates) }, "gate")); }
  // plan {
  box.appendChild(paragraphs(workWords(task)));
  // } plan
  var sure = element("div", null, "sure");
  howSure(task).forEach(function (words) { sure.appendChild(element("p", words)); });
  if (sure.childNodes.length) { box.appendChild(sure); }
  var what = { class: say(CLASS_WORDS[task.class]), area: figure(task.ha, 1),
    district: task.district || say("outside every district given"), error: raw(task.error_m, "m") };
  box.appendChild(element("p", task.told ? say("{class}, {area} ha, {district}.", what)
    : say("{class}, {area} ha, {district}. Position error up to {error}.", what)));
  if (task.told) { box.appendChild(element("p", say(task.told))); }
  if (task.expected[0] !== null) {
    var hectares = task.expected.map(function (own) { return figure(own === null ? null : own / 1e4, 1); });
    var ground = { likely: hectares[0], low: hectares[1], high: hectares[2], unknown: hectares[3] };
    box.appendChild(element("p", task.expected[3] > 5000
      ? say("Expected to be contaminated: {likely} ha (90 % interval {low} to {high}); of {unknown} ha nobody knows.", ground)
      : say("Expected to be contaminated: {likely} ha (90 % interval {low} to {high}).", ground)));
  }
  box.appendChild(explanation(task));
  if (task.unknown) {
    box.appendChild(element("p", say("Assumed: {people} people for {count} place whose number nobody has published."
      + "|Assumed: {people} people for {count} places whose number nobody has published.",
    { people: figure(task.assumed, 0), count: task.unknown }), "assumed"));
  }
  // Of a published cell neither places nor hazards are named, which does not say that there are none.
  if (!task.told) {
    box.appendChild(element("p", task.zones.length ? say("Affects: {places}", { places: listed(task.zones, 8) })
      : say("Affects no listed place."), "quiet"));
    box.appendChild(element("p", say("Made of: {hazards}", { hazards: listed(task.hazards, 8) }), "quiet"));
  }
  task.hazards.forEach(function (hazard) {
    if (!recordOf[hazard]) { return; }
    var button = element("button", say("Record {record}", { record: hazard }), "link");
    button.type = "button";
    button.addEventListener("click", function () { popup(boundsOf(task).getCenter(), function () { return describeRecord(recordOf[hazard]); }); });
    box.appendChild(button);
  });
  if (about.illustrative) { box.appendChild(element("p", say(about.illustrative), "quiet")); }
  return linked(box, taskHash(task));
}

function show(task, where) {
  choose(task);
  popup(where, function () {
    var box = describe(task), here = surfaceWords(where);
    if (here) { box.insertBefore(here, box.querySelector("table")); }
    return box;
  });
}

// Beyond all tasks a click still tells what the surface knows.
map.on("click", function (event) {
  var own = pictured ? tasksAt(event.latlng) : [];
  if (own.length === 1) { show(own[0], event.latlng); return; }
  if (!own.length && !surfaceWords(event.latlng)) { return; }
  popup(event.latlng, function () {
    var box = own.length ? describeCell(own, event.latlng) : element("div", null, "card"), here = surfaceWords(event.latlng);
    if (here) { box.appendChild(here); }
    return box;
  });
});

// Where classes colour the outlines, a swatch in the hazard's colour would say what is not drawn.
var classed = data.tasks.some(function (task) { return Boolean(task.priority); });

function taskSwatch(fill, line) {
  return classed ? null : '<rect x="2" y="3" width="24" height="12" fill="' + fill + '" fill-opacity="0.2" stroke="' + line
    + '" stroke-width="3"/>';
}

if (gatedTasks.length) {
  add(term("Behind a gate, no rank until it opens"), polygons(gatedTasks),
    '<rect x="2" y="3" width="24" height="12" fill="#9A9A9A" fill-opacity="0.7" stroke="#5A5A5A" stroke-width="2" stroke-dasharray="1 4" stroke-linecap="round"/>');
}
// plan {
var belowRanks = layers.length;
// } plan
add(term("Tasks to survey"), taskLayer("survey"), taskSwatch("#F4A718", "#8A5A00"));
add(term("Tasks to clear"), taskLayer("clearance"), taskSwatch("#FF0000", "#7A0000"));
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
    layers.push({ name: term("Dashed, from afar paler: of this class or a lower one, nobody can tell"), layer: null, swatch: outline(PRIORITY.high, true) });
  }
  ["low", "medium", "high"].forEach(function (name) {
    if (!data.tasks.some(function (task) { return priorityOf(task) === PRIORITY[name]; })) { return; }
    layers.push({ name: PRIORITY[name].words, layer: null, swatch: outline(PRIORITY[name], false) });
  });
}
