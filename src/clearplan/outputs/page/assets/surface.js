// --- contamination surface: one picture that carries the numbers, coloured here, asked at every click ------------

pane("surface", 250, false);
var surface = data.surface && { pixels: null, layer: L.layerGroup() };

function surfaceColour(p) {
  var stops = data.surface.colours;
  for (var k = 1; k < stops.length; k += 1) {
    if (p <= stops[k][0]) {
      var part = (p - stops[k - 1][0]) / (stops[k][0] - stops[k - 1][0]);
      return stops[k][1].map(function (to, band) { return stops[k - 1][1][band] + part * (to - stops[k - 1][1][band]); });
    }
  }
  return stops[stops.length - 1][1];
}

function paintSurface(picture) {
  var canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  var pen = canvas.getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
  pen.drawImage(picture, 0, 0);
  var read = pen.getImageData(0, 0, canvas.width, canvas.height);
  surface.pixels = new Uint8ClampedArray(read.data);
  surface.width = canvas.width;
  surface.height = canvas.height;
  var table = [];
  for (var level = 0; level < 256; level += 1) { table.push(surfaceColour(Math.pow(10, level / 63 - 4))); }
  for (var k = 0; k < read.data.length; k += 4) {
    var unknown = surface.pixels[k + 2] === 255;
    // Nobody knows: grey dots on nothing, never a pale colour that would read as low.
    var dot = unknown && (k / 4) % canvas.width % 6 === 0 && Math.floor(k / 4 / canvas.width) % 6 === 0;
    var colour = unknown ? [70, 70, 70] : table[surface.pixels[k]];
    read.data[k] = colour[0];
    read.data[k + 1] = colour[1];
    read.data[k + 2] = colour[2];
    read.data[k + 3] = unknown ? (dot ? 200 : 0) : 205;
  }
  pen.putImageData(read, 0, 0);
  surface.layer.addLayer(L.imageOverlay(canvas.toDataURL(), data.surface.bounds, { pane: "surface", alt: "" }));
}

function surfaceAt(where) {
  if (!surface || !surface.pixels) { return null; }
  var low = L.CRS.EPSG3857.project(L.latLng(data.surface.bounds[0])), high = L.CRS.EPSG3857.project(L.latLng(data.surface.bounds[1]));
  var at = L.CRS.EPSG3857.project(L.latLng(where));
  var x = Math.floor((at.x - low.x) / (high.x - low.x) * surface.width);
  var y = Math.floor((high.y - at.y) / (high.y - low.y) * surface.height);
  if (x < 0 || y < 0 || x >= surface.width || y >= surface.height) { return { known: false }; }
  var k = 4 * (y * surface.width + x);
  if (surface.pixels[k + 2] === 255) { return { known: false }; }
  return { known: true, p: Math.pow(10, surface.pixels[k] / 63 - 4), why: data.surface.codes[surface.pixels[k + 1]] };
}

// The highest level of the picture stands for all from 98 % on: the page never says that all of the ground is.
function percent(p) {
  if (p > 0.98) { return say("over {number} %", { number: 98 }); }
  return p < 0.001 ? say("below {number} %", { number: figure(0.1, 1) })
    : say("about {number} %", { number: p < 0.1 ? significant(100 * p, 2) : figure(100 * p, 0) });
}

function surfaceWords(where) {
  var found = surfaceAt(where);
  if (!found) { return null; }
  return element("p", found.known
    ? say("Here {share} of the ground is expected to be contaminated; moved most by {evidence}.",
      { share: percent(found.p), evidence: say(found.why) })
    : say("Here nobody knows: no evidence lies within reach, or the data do not speak of this ground. That is not a low share."),
    found.known ? null : "assumed");
}

if (surface) {
  var picture = new Image();
  picture.onload = function () { paintSurface(picture); document.documentElement.dataset.surface = "yes"; };
  picture.src = data.surface.image;
  var ramp = [0.001, 0.01, 0.05, 0.2, 0.5, 1].map(function (p, k) {
    return '<rect x="' + (1 + 4.4 * k) + '" y="3" width="4.4" height="12" fill="rgb(' + surfaceColour(p).map(Math.round).join() + ')"/>';
  }).join("");
  add(term("Contaminated share of the ground: pale below 1 %, dark above 50 %"), surface.layer, ramp, false);
  layers.push({ name: term("Nobody knows (dots, where the contaminated share is shown)"), layer: null,
    swatch: '<path d="M4 5h.1M12 5h.1M20 5h.1M4 13h.1M12 13h.1M20 13h.1" stroke="#464646" stroke-width="2.4" stroke-linecap="round"/>' });
  document.getElementById("legend").appendChild(spoken("p", term("Contaminated share: the part of the ground that is expected to be contaminated. The probability that a piece of ground holds at least one item is larger, and grows with its size."), "quiet"));
}
