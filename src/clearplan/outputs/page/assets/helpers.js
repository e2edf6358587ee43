// --- small helpers ---------------------------------------------------------------------------------------

function element(tag, text, className) {
  var node = document.createElement(tag);
  if (text !== undefined && text !== null) { write(node, text); }
  if (className) { node.className = className; }
  return node;
}

function figure(value, digits) {
  if (value === null || value === undefined) { return say("unknown"); }
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function significant(value, digits) {
  return value.toLocaleString(locale(), { minimumSignificantDigits: digits, maximumSignificantDigits: digits });
}

// Three meaningful digits where a figure is small, none behind the point where it is large.
function raw(value, unit) {
  if (value === null) { return say("none given"); }
  var digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2;
  return figure(value, digits) + (unit === "0-1" ? "" : " " + say(unit));
}

// Rings travel as [lon, lat, step, step ...] in millionths of a degree.
function latLngs(steps) {
  var ring = [], x = 0, y = 0;
  for (var k = 0; k < steps.length; k += 2) {
    x += steps[k];
    y += steps[k + 1];
    ring.push([y / 1e6, x / 1e6]);
  }
  return ring;
}

function parts(shape) {
  if (typeof shape === "string") { return unpacked(shape); }
  return shape.parts.map(function (rings) { return rings.map(latLngs); });
}

function draw(shape, style) {
  var found = parts(shape);
  if (shape.type === "point") {
    return L.circleMarker(found[0][0][0], style);
  }
  if (shape.type === "line") {
    return L.polyline(found.map(function (rings) { return rings[0]; }), style);
  }
  return L.polygon(found, style);
}

function pane(name, zIndex, clickable) {
  map.createPane(name).style.zIndex = zIndex;
  if (!clickable) { map.getPane(name).style.pointerEvents = "none"; }
  return name;
}
