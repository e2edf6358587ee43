// --- tasks: line weight and a number tell the priority -----------------------------------------------------

var layerOf = {};
var badges = [];

// From afar the borders of a thousand tasks would hide the ground that they divide.
var NEAR = 10.5;
var CLOSE = 13; // from here on a record's field is large enough to carry its name

function isGated(task) { return task.rank === null; }

function isUnsure(task) { return Boolean(task.priority) && task.priority.indexOf("/") > 0; }

// Where nobody can tell, the higher class counts: an outline must not play a hazard down.
function priorityOf(task) { return task.priority ? PRIORITY[task.priority.split("/")[0]] : null; }

function taskStyle(task) {
  var near = map.getZoom() >= NEAR;
  var shared = { renderer: canvas, pane: "task", bubblingMouseEvents: false };
  if (!isKept(task)) { return L.extend(shared, AWAY); }
  if (isGated(task)) {
    return L.extend(shared, { color: GATED.line, weight: near ? 2 : 1, opacity: 1, dashArray: near ? "1 5" : null,
      fillColor: GATED.fill, fillOpacity: 0.7 });
  }
  // plan {
  if (stop >= 0) { return L.extend(shared, plannedStyle(task, near)); }
  // } plan
  var early = task.rank <= NUMBERED, own = priorityOf(task);
  if (own) {
    // Close by, outlines tell and the hazard's hatching stays to be read; from afar a tint does, paler where unsure.
    // Large cells are seen from afar as they are: a blue tint on SHA's orange would be green.
    return L.extend(shared, { stroke: near || early, color: own.line, weight: early ? 3 : own.weight, opacity: 1,
      dashArray: near && isUnsure(task) ? "6 5" : null, fillColor: own.line,
      fillOpacity: near ? 0.06 : data.generalised ? 0 : own.tint * (isUnsure(task) ? 0.5 : 1) });
  }
  var weight = early ? 3 : near && task.rank <= task.of / 4 ? 1.5 : near ? 0.5 : 0;
  return L.extend(shared, {
    stroke: weight > 0, color: COLOUR[task.class].line, weight: weight,
    opacity: weight < 1 ? 0.55 : 1, fillColor: COLOUR[task.class].fill, fillOpacity: early ? 0.25 : 0.01
  });
}

// Those that wait in a queue, by rank; what stands behind a gate waits in none.
function tasksOf(queue) {
  return data.tasks.filter(function (task) { return task.queue === queue && !isGated(task); });
}

var gatedTasks = data.tasks.filter(isGated);

// Those that are drawn as outlines; the picture shows the others.
function isOutlined(task) { return !pictured || task.outlined === 1; }

// Where a task lies, however it is drawn.
function boundsOf(task) { return layerOf[task.id] ? layerOf[task.id].getBounds() : draw(task.shape, {}).getBounds(); }

var chosen = L.layerGroup().addTo(map);

// A task of the picture is outlined while it is told of.
function choose(task) {
  chosen.clearLayers();
  if (layerOf[task.id]) { return; }
  chosen.addLayer(draw(task.shape, { renderer: canvas, pane: "task", interactive: false, color: COLOUR[task["class"]].line, weight: 3, fill: false }));
}

function restyleTasks() {
  data.tasks.forEach(function (task) { if (layerOf[task.id]) { layerOf[task.id].setStyle(taskStyle(task)); } });
}

function polygons(tasks) {
  // The first in rank are drawn last, on top.
  return L.layerGroup(tasks.filter(isOutlined).reverse().map(function (task) {
    var polygon = draw(task.shape, taskStyle(task));
    polygon.on("click", function (event) { show(task, event.latlng); });
    layerOf[task.id] = polygon;
    return polygon;
  }));
}

// A marker's title, in the language in which it is read; its icon is made anew whenever its layer is shown.
function entitle(marker, words) {
  onWords(function () {
    marker.options.title = words();
    if (marker.getElement()) { marker.getElement().title = words(); }
  });
}

function rankTitle(task) {
  return task.queue === "survey" ? say("survey rank {rank}", { rank: task.rank }) : say("clearance rank {rank}", { rank: task.rank });
}

function taskLayer(queue) {
  var tasks = tasksOf(queue);
  var drawn = polygons(tasks);
  tasks.slice(0, NUMBERED).reverse().forEach(function (task) {
    var marker = L.marker(boundsOf(task).getCenter(), {
      icon: L.divIcon({ html: element("span", task.rank), className: "number " + queue, iconSize: [24, 24] }),
      title: rankTitle(task), keyboard: false, zIndexOffset: 10000 * (NUMBERED - task.rank) // Leaflet adds pixels from the top
    });
    entitle(marker, function () { return rankTitle(task); });
    marker.on("click", function () { show(task, marker.getLatLng()); });
    badges.push({ task: task, marker: marker });
    drawn.addLayer(marker);
  });
  return drawn;
}
