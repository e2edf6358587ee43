// --- what is within the filter: classes, districts and years; each empty where it doesn't filter -----------------

var filters = { land: [], district: [] };
// plan {
filters.year = [];
// } plan
var followers = []; // parts of lists that hide with what they tell: { node, kept }
var drawnClasses = []; // groups of the map by class: { land, layer }
// Faint, never gone: what a filter leaves out is still hazard, and a click on it still tells so.
var AWAY = { stroke: false, dashArray: null, fillColor: "#444444", fillOpacity: 0.01 };

function remember(layer, land) { drawnClasses.push({ land: land, layer: layer }); }

function isFiltered() { return Object.keys(filters).some(function (name) { return filters[name].length > 0; }); }

function passes(name, value) { return !filters[name].length || filters[name].indexOf(value) >= 0; }

function districtOf(task) { return task.district || (data.figures && data.figures.outside); }

function isKept(task) {
  // plan {
  if (!passes("year", yearOf(task.plan ? task.plan.finish : null))) { return false; }
  // } plan
  return passes("land", task["class"]) && passes("district", districtOf(task));
}

function isKeptPlace(zone) {
  // plan {
  if (!passes("year", yearOf(zone.plan.opens))) { return false; }
  // } plan
  return passes("district", zone.district)
    && (!filters.land.length || zone.classes.some(function (land) { return passes("land", land); }));
}

// plan {
var BEYOND = "beyond"; // not finished, or not open, within the plan

function yearOf(k) { return k === null || k === undefined ? BEYOND : plan.stops[k][1].slice(0, 4); }
// } plan
