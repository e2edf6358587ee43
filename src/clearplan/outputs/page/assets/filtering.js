// --- filters: figures, map and lists follow what is pressed --------------------------------------------------------

var everFiltered = false;
var pressed = []; // buttons that switch a part of the filter: { button, name, value }
var spotlight = L.layerGroup().addTo(map);
pane("away", 415, false);

function toggles(button, name, value) {
  pressed.push({ button: button, name: name, value: value });
  button.classList.add("toggle");
  button.setAttribute("aria-pressed", String(filters[name].indexOf(value) >= 0));
  button.dataset[name] = value;
  button.addEventListener("click", function () {
    var at = filters[name].indexOf(value);
    if (at < 0) { filters[name].push(value); } else { filters[name].splice(at, 1); }
    applyFilter(name === "district");
  });
}

function nameOf(name, value) {
  if (name === "land") { return say(LAND_SHORT[value]); }
  // plan {
  if (name === "year") { return value === BEYOND ? say("not within the plan") : value; }
  // } plan
  return districtName(value);
}

function filterWords() {
  var names = Object.keys(filters).filter(function (name) { return filters[name].length; }).map(function (name) {
    return filters[name].map(function (value) { return nameOf(name, value); }).join(" / ");
  });
  var kept = data.tasks.filter(isKept), places = data.zones, ha = kept.reduce(function (sum, task) { return sum + task.ha; }, 0);
  // plan {
  places = everyPlace;
  // } plan
  return say("Filter: {names}. {tasks} of {all} tasks, {places} of {every} places, {hectares} ha.", {
    names: names.join("; "), tasks: figure(kept.length, 0), all: figure(data.tasks.length, 0),
    places: figure(places.filter(isKeptPlace).length, 0), every: figure(places.length, 0), hectares: figure(ha, 1) });
}

// What lies in other districts stays to be seen, but pale.
function lightUp() {
  spotlight.clearLayers();
  if (!filters.district.length || !books.districts) { return; }
  var own = [], others = [];
  context.districts.forEach(function (shape, k) {
    (filters.district.indexOf(books.districts[k]) >= 0 ? own : others).push(shape);
  });
  var veil = still(L.svg({ pane: "away", padding: 0.5 }), { stroke: false, fillColor: "#ffffff", fillOpacity: 0.7 });
  if (filters.district.indexOf(books.outside) >= 0) {
    others.forEach(function (shape) { spotlight.addLayer(draw(shape, veil)); });
  } else {
    var holes = [];
    own.forEach(function (shape) { parts(shape).forEach(function (rings) { holes.push(rings[0]); }); });
    spotlight.addLayer(L.polygon([[[-85, -180], [-85, 180], [85, 180], [85, -180]]].concat(holes), veil));
  }
  own.forEach(function (shape) {
    spotlight.addLayer(draw(shape, L.extend({}, veil, { stroke: true, color: "#00429d", weight: 2.5, fill: false })));
  });
}

// Shapes on a canvas have no element of their own.
function fade(layer, kept) {
  var node = layer.getElement && layer.getElement();
  if (node) { node.classList.toggle("away", !kept); }
  if (node || !layer.setStyle) { return; }
  layer.full = layer.full || { opacity: layer.options.opacity, fillOpacity: layer.options.fillOpacity };
  layer.setStyle(kept ? layer.full : { opacity: 0.12, fillOpacity: 0.1 * layer.full.fillOpacity });
}

function fadeShapes() {
  drawnClasses.forEach(function (own) {
    own.layer.eachLayer(function (layer) {
      fade(layer, passes("land", own.land));
    });
  });
  labels.forEach(function (label) {
    var node = label.marker.getElement(), tip = label.marker.getTooltip(), kept = isKeptPlace(label.zone);
    if (node) { node.classList.toggle("away", !kept); }
    if (tip && tip.getElement()) { tip.getElement().classList.toggle("away", !kept); }
  });
  badges.forEach(function (badge) {
    var node = badge.marker.getElement();
    if (node) { node.classList.toggle("away", !isKept(badge.task)); }
  });
  // The picture of very many hazards can't be told apart by tasks: it steps back as a whole, behind the outlines.
  var some = isFiltered() && Object.keys(filters).some(function (name) { return name !== "district" && filters[name].length; });
  if (pictured) { map.getPane("picture").style.opacity = some ? 0.3 : ""; }
  placeLabels();
}

function followLists() {
  followers = followers.filter(function (own) { return document.contains(own.node); });
  followers.forEach(function (own) { own.node.hidden = !own.kept(); });
  ["gated", "opening", "never", "lived"].forEach(function (id) {
    var holder = document.getElementById(id);
    if (!holder) { return; }
    var summary = holder.querySelector("summary");
    summary.dataset.all = summary.dataset.all || summary.textContent;
    var nodes = followers.filter(function (own) { return holder.contains(own.node) && (id !== "gated" || own.node.tagName === "BUTTON"); });
    summary.textContent = summary.dataset.all + (isFiltered()
      ? "; " + say("{number} within the filter", { number: figure(nodes.filter(function (own) { return !own.node.hidden; }).length, 0) }) : "");
  });
  list(shownQueue);
}

// The buttons of the charts are made anew with them: the focus goes to the one that took its place.
function redrawCharts() {
  var now = document.activeElement, inside = now && now.closest("#charts") && now.classList.contains("toggle");
  var marks = inside && Object.assign({}, now.dataset), figureOf = inside && now.closest("figure").getAttribute("aria-labelledby");
  var open = Array.prototype.map.call(document.querySelectorAll("#charts details"), function (one) { return one.open; });
  pressed = pressed.filter(function (own) { return !own.button.closest("#charts"); });
  drawCharts();
  document.querySelectorAll("#charts details").forEach(function (one, k) { one.open = Boolean(open[k]); });
  if (!inside) { return; }
  pressed.forEach(function (own) {
    var there = own.button.closest("figure");
    if (there && there.getAttribute("aria-labelledby") === figureOf && marks[own.name] === String(own.value)) {
      own.button.focus({ preventScroll: true });
    }
  });
}

function applyFilter(move) {
  var on = isFiltered(), panel = document.getElementById("panel"), scrolled = panel.scrollTop;
  pressed.forEach(function (own) { own.button.setAttribute("aria-pressed", String(filters[own.name].indexOf(own.value) >= 0)); });
  document.body.classList.toggle("is-filtered", on);
  document.getElementById("filtered").hidden = !on;
  var caution = say("Ground that a filter dims or hides is still hazard.");
  document.getElementById("filtered-words").textContent = on ? filterWords() + " " + caution : "";
  document.getElementById("filtered-said").textContent = on ? filterWords() + " " + caution : everFiltered ? say("All is shown.") : "";
  everFiltered = everFiltered || on;
  map.invalidateSize({ pan: false, animate: false });
  restyleTasks();
  lightUp();
  fadeShapes();
  followLists();
  redrawCharts();
  panel.scrollTop = scrolled;
  if (move) { lookAt(); }
}

function lookAt() {
  var bounds = L.latLngBounds([]);
  spotlight.eachLayer(function (layer) { if (layer.options.stroke) { bounds.extend(layer.getBounds()); } });
  if (!bounds.isValid()) { bounds = extent; }
  if (bounds.isValid()) { map.fitBounds(bounds, { padding: phone ? [4, 4] : [16, 16], maxZoom: 14, animate: false }); }
}

function offer(title, name, values) {
  var holder = element("div", null, "choices"), words = element("h3", title);
  words.id = "choose-" + name;
  holder.setAttribute("role", "group");
  holder.setAttribute("aria-labelledby", words.id);
  holder.appendChild(words);
  values.forEach(function (value) {
    var button = element("button", nameOf(name, value));
    button.type = "button";
    toggles(button, name, value);
    holder.appendChild(button);
  });
  document.getElementById("filters").appendChild(holder);
}

function offerFilters() {
  var holder = document.getElementById("filters");
  holder.replaceChildren(element("h2", say("Filter the map, the lists and the figures")));
  offer(say("Class"), "land", LANDS.filter(function (land) { return data.tasks.some(function (task) { return task["class"] === land; }); }));
  // plan {
  offer(say("Planned year of finish, or of opening"), "year", plan.stops.slice(1).map(function (one) { return one[1].slice(0, 4); })
    .filter(function (year, k, all) { return all.indexOf(year) === k; }).concat(BEYOND));
  // } plan
  holder.appendChild(element("p", data.figures.districts ? say("Districts: press their names in the table below. Filters work together.")
    : say("Filters work together."), "quiet"));
  holder.hidden = false;
}

// Told anew in each language; what is pressed stays pressed.
function tellFigures() {
  pressed = [];
  drawHead();
  offerFilters();
  ["gated", "opening", "never", "lived"].forEach(function (id) {
    var holder = document.getElementById(id);
    if (holder) { delete holder.querySelector("summary").dataset.all; }
  });
  write(document.getElementById("show-all"), say("Show all"));
  applyFilter(false);
}

if (books) {
  onWords(tellFigures);
  document.getElementById("show-all").addEventListener("click", function () {
    Object.keys(filters).forEach(function (name) { filters[name] = []; });
    applyFilter(true);
    // The button that was pressed is gone with the line.
    room.focus({ preventScroll: true });
  });
  map.on("overlayadd zoomend", fadeShapes);
}
