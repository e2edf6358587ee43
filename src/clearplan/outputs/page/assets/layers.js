// --- layers, from the ground up ----------------------------------------------------------------------------

// The canvas takes every click within the map, so what else can be clicked stands above it.
pane("ground", 300, false);
pane("picture", 395, false);
pane("indication", 400, false);
pane("hazard", 410, false);
pane("task", 420, true);
pane("zone", 430, true);
pane("contact", 440, false);
var svg = {
  ground: L.svg({ pane: "ground", padding: 0.5 }),
  indication: L.svg({ pane: "indication", padding: 0.5 }),
  hazard: L.svg({ pane: "hazard", padding: 0.5 }),
  zone: L.svg({ pane: "zone", padding: 0.5 }),
  contact: L.svg({ pane: "contact", padding: 0.5 })
};
var canvas = L.canvas({ pane: "task", padding: 0.3, tolerance: 3 });
// Beyond a thousand outlines a canvas draws the hazards, with the same hatching; their pane takes no click.
var manyAreas = data.areas.length > 1000;
var areaOn = manyAreas ? { indication: L.canvas({ pane: "indication", padding: 0.5 }), hazard: L.canvas({ pane: "hazard", padding: 0.5 }) } : svg;
// Where a picture shows all hazards, outlines above it are not filled again.
var pictured = data.drawn.picture || null;

function still(renderer, options) {
  return L.extend({ renderer: renderer, pane: renderer.options.pane, interactive: false }, options);
}

function group(shapes, style) {
  return L.layerGroup(shapes.map(function (shape) { return draw(shape, style); }));
}

function areaGroup(wanted, style) {
  return group(data.areas.filter(wanted).map(function (area) { return area.shape; }), style);
}

var context = data.context;
var layers = [];

function add(name, layer, swatch, shown) {
  layers.push({ name: name, layer: layer, swatch: swatch });
  if (shown !== false) { layer.addTo(map); }
}

if (context.relief) {
  add(term("Relief"), L.imageOverlay(context.relief.image, context.relief.bounds, { pane: "tilePane", alt: "" }), null);
}
