// --- frame of the map's tools: one row of them, folded into a button on phones ------------------------------------

var holder = map.getContainer();
var tools = element("section", null, "tools");
tools.id = "tools";
onWords(function () { tools.setAttribute("aria-label", say("Map tools")); });
var toolsInside = element("div", null, "inside"), toolsButton = spoken("button", term("Tools"), "toggle");
toolsInside.id = "tools-inside";
pressable(toolsButton, function () { openTools(!toolsInside.classList.contains("open")); });
toolsButton.setAttribute("aria-controls", "tools-inside");
var told = element("div", null, "told"), heard = element("div", null, "unseen");
told.setAttribute("role", "status");
heard.setAttribute("role", "status");
tools.append(toolsButton, toolsInside, told, heard);
holder.appendChild(tools);
L.DomEvent.disableClickPropagation(tools).disableScrollPropagation(tools);

function openTools(open) {
  toolsInside.classList.toggle("open", open);
  toolsButton.setAttribute("aria-expanded", String(open));
}
openTools(false);

function pressable(button, act) {
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

// What went wrong is seen and heard until the reader closes it or goes on; what went well is heard, and the map shows it.
function warn(text) {
  told.replaceChildren(element("p", text), pressable(element("button", say("Close"), "link"), function () { calm(); holder.focus(); }));
}
function announce(text) { heard.textContent = text; }
function calm() { told.replaceChildren(); }

function svgElement(tag, attributes) {
  var node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.keys(attributes).forEach(function (name) { node.setAttribute(name, attributes[name]); });
  return node;
}

// Names of one place are equal: the one that the reader used stands first. Of spellings that sound alike one is told.
function allNames(first, names) {
  var heardOf = [fold(first)];
  var others = names.filter(function (name) {
    var key = fold(name);
    return heardOf.indexOf(key) < 0 && heardOf.push(key);
  });
  return others.length ? say("{name} (also: {others})", { name: first, others: others.join(", ") }) : first;
}

// What the reader looks for is ringed; the name stands beside it.
pane("mark", 660, false);
var markLayer = L.layerGroup().addTo(map), markRenderer = L.svg({ pane: "mark", padding: 0.5 });
function mark(where, text) {
  markLayer.clearLayers();
  if (!where) { return; }
  [["#ffffff", 7], ["#1b1b1b", 3]].forEach(function (own) {
    markLayer.addLayer(L.circleMarker(where, still(markRenderer, { radius: 15, color: own[0], weight: own[1], fill: false })));
  });
  markLayer.addLayer(L.circleMarker(where, still(markRenderer, { radius: 15, stroke: false, fill: false }))
    .bindTooltip(element("span", text), { permanent: true, pane: "mark", direction: "top", className: "label mark", offset: [0, -14] }));
}

if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
  ["setView", "panBy"].forEach(function (name) {
    var moving = map[name], last = name === "setView" ? 2 : 1;
    map[name] = function () {
      var given = Array.prototype.slice.call(arguments, 0, last + 1);
      while (given.length < last) { given.push(undefined); }
      given[last] = L.extend({}, given[last], { animate: false });
      return moving.apply(map, given);
    };
  });
  map.options.inertia = false;
}

// The legend ends below the zoom buttons, however tall head and foot are.
function fitLegend() { legend.style.maxHeight = phone ? "" : Math.max(120, map.getSize().y - 134) + "px"; }
map.on("resize", fitLegend);
fitLegend();

// Bubbles open below the row of tools, not under it.
if (!phone) {
  var paddingOfPopups = L.Popup.prototype.options.autoPanPaddingTopLeft;
  L.Popup.mergeOptions({ autoPanPaddingTopLeft: [paddingOfPopups ? paddingOfPopups[0] : 12, 58] });
}
