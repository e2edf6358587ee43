// --- by keyboard: skip links, cards that take the focus and give it back, and what lies under the cross -------------

var room = map.getContainer();
var cameFrom = null;

function isCard(node) { return Boolean(node) && Boolean(node.closest(".leaflet-popup, #detail")); }

function leaveFrom() {
  var now = document.activeElement;
  if (!isCard(now)) { cameFrom = now && now !== document.body ? now : room; }
}

function enter(holder, content) {
  var title = content.querySelector("h3");
  holder.setAttribute("role", "dialog");
  if (title) {
    title.id = "card-title";
    holder.setAttribute("aria-labelledby", "card-title");
    holder.removeAttribute("aria-label");
  } else {
    holder.removeAttribute("aria-labelledby");
    holder.setAttribute("aria-label", say("What is known here"));
  }
  holder.tabIndex = 0;
  holder.focus({ preventScroll: true });
}

// The phone's sheet stays when its card is closed, and is no dialog then.
function emptySheet() {
  shownCard = null;
  var sheet = document.getElementById("detail");
  sheet.replaceChildren();
  ["role", "aria-label", "aria-labelledby"].forEach(function (name) { sheet.removeAttribute(name); });
  sheet.tabIndex = -1;
}

function comeBack() {
  if (cameFrom && document.contains(cameFrom)) { cameFrom.focus({ preventScroll: true }); } else { room.focus({ preventScroll: true }); }
}

map.on("popupclose", function (event) {
  shownCard = null;
  var own = event.popup.getElement();
  if (own && own.contains(document.activeElement)) { comeBack(); }
  // The bubble fades for a moment: two must not have one name.
  var title = own && own.querySelector("#card-title");
  if (title) { title.removeAttribute("id"); }
});

document.addEventListener("keydown", function (event) {
  if (event.key !== "Escape") { return; }
  var close = document.querySelector("#detail > .close");
  if (close) { close.click(); } else { map.closePopup(); }
});

["map", "list"].forEach(function (name) {
  var link = document.getElementById("skip-" + name);
  link.addEventListener("click", function (event) {
    event.preventDefault();
    var goal = document.getElementById(link.getAttribute("href").slice(1));
    goal.focus();
    goal.scrollIntoView({ block: "nearest" });
  });
});

onWords(function () {
  write(document.getElementById("skip-map"), say("Skip to the map"));
  write(document.getElementById("skip-list"), say("Skip to the list of tasks"));
  write(document.getElementById("map-title"), say("Map"));
  write(document.getElementById("map-keys"),
    say("Arrow keys move the map, plus and minus change its scale, Enter opens what lies under the cross, Escape closes it."));
});
room.setAttribute("role", "region");
room.setAttribute("aria-labelledby", "map-title");
room.setAttribute("aria-describedby", "map-keys");

function isUnder(layer, point) {
  if (!layer.listens || !layer.listens("click") || !map.hasLayer(layer)) { return false; }
  if (layer.getLatLng) { return map.latLngToLayerPoint(layer.getLatLng()).distanceTo(point) <= 16; }
  return layer instanceof L.Polygon && Boolean(layer._parts) && layer._containsPoint(point);
}

// Signs stand above places, places above tasks, as with a click.
function openUnderCross() {
  var where = map.getCenter(), point = map.latLngToLayerPoint(where), found = null, over = -1;
  map.eachLayer(function (layer) {
    if (layer instanceof L.Popup || layer instanceof L.Tooltip || !isUnder(layer, point)) { return; }
    var level = layer instanceof L.Marker ? 3 : layer instanceof L.CircleMarker ? 2 : layer.options.pane === "zone" ? 1 : 0;
    if (level >= over) { found = layer; over = level; }
  });
  (found || map).fire("click", { latlng: where });
}

room.addEventListener("keydown", function (event) {
  if (event.key === "Enter" && event.target === room) { openUnderCross(); }
});

if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
  map.options.inertia = false;
  map._zoomAnimated = false;
  map._fadeAnimated = false;
}
