// --- grid on request: degrees, or MGRS squares; drawn for the view alone --------------------------------------------

// Steps of a graticule in seconds of arc, and of an MGRS grid in metres; the finest whose lines stand apart is drawn.
var ARC_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000];
var MGRS_STEPS = [100, 1000, 10000, 100000];
var APART = { degrees: 110, mgrs: 45 }; // pixels
var gridKind = "none";
pane("grid", 445, false);
var gridPicture = svgElement("svg", { "class": "grid leaflet-zoom-hide", "aria-hidden": "true" });
map.getPane("grid").appendChild(gridPicture);

function arcWords(seconds, marks) {
  var size = Math.abs(Math.round(seconds)), minutes = Math.floor(size / 60) % 60, rest = size % 60;
  return Math.floor(size / 3600) + "°" + (minutes || rest ? String(minutes).padStart(2, "0") + "′" : "")
    + (rest ? String(rest).padStart(2, "0") + "″" : "") + (size ? marks.charAt(seconds < 0 ? 1 : 0) : "");
}

// What is drawn: lines as runs of container points, texts with their place and anchor, and the step in words.
function gridOf(kind) {
  var size = map.getSize(), bounds = map.getBounds(), picture = { lines: [], texts: [], words: "" };
  var top = toolsButton.offsetParent ? 62 : 66, right = size.x - 6; // below the row of tools
  var view = { south: Math.max(bounds.getSouth(), -85), north: Math.min(bounds.getNorth(), 85), west: bounds.getWest(), east: bounds.getEast() };
  if (kind === "degrees") { graticule(picture, view, top, right); } else { mgrsGrid(picture, view, top, right); }
  return picture;
}

// Leaflet's own rounds to whole pixels, which would put kinks into lines.
function at(lat, lng) { return map.layerPointToContainerPoint(map.project([lat, lng]).subtract(map.getPixelOrigin())); }

function graticule(picture, view, top, right) {
  var pixel = (view.east - view.west) * 3600 / map.getSize().x;
  var step = ARC_STEPS.find(function (own) { return own / pixel >= APART.degrees; });
  if (!step) { picture.words = say("zoom in for the grid"); return; }
  for (var x = Math.ceil(view.west * 3600 / step) * step; x <= view.east * 3600; x += step) {
    var foot = at(view.south, x / 3600), head = at(view.north, x / 3600);
    picture.lines.push([foot, head]);
    picture.texts.push({ x: foot.x + 3, y: top, anchor: "start", text: arcWords(((x / 3600 + 540) % 360 - 180) * 3600, "EW") });
  }
  for (var y = Math.ceil(view.south * 3600 / step) * step; y <= view.north * 3600; y += step) {
    var start = at(y / 3600, view.west), end = at(y / 3600, view.east);
    picture.lines.push([start, end]);
    picture.texts.push({ x: right, y: end.y - 3, anchor: "end", text: arcWords(y, "NS") });
  }
  picture.words = say("Grid: degrees, every {step}", { step: arcWords(step, "  ").trim() });
}

// Zones that the view shows; a grid ends at the border of its zone.
function zonesIn(view) {
  var found = [];
  for (var j = 0; j <= 4; j += 1) {
    for (var i = 0; i <= 24; i += 1) {
      var zone = utmZone(view.south + j / 4 * (view.north - view.south), view.west + i / 24 * (view.east - view.west));
      if (found.indexOf(zone) < 0) { found.push(zone); }
    }
  }
  return found;
}

// The part of the view in which a zone lies, in its own metres.
function metresOf(zone, view) {
  var middle = 6 * zone - 183, west = Math.max(view.west, middle - 6), east = Math.min(view.east, middle + 6);
  var range = { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
  for (var j = 0; j <= 8; j += 1) {
    for (var i = 0; i <= 8; i += 1) {
      if (i % 8 && j % 8) { continue; }
      var own = toUtm(view.south + j / 8 * (view.north - view.south), west + i / 8 * (east - west), zone);
      range.west = Math.min(range.west, own.east);
      range.east = Math.max(range.east, own.east);
      range.south = Math.min(range.south, own.north);
      range.north = Math.max(range.north, own.north);
    }
  }
  return range;
}

// Points of a line of constant easting or northing inside its zone; the end at a border is found by halving.
function runsOf(zone, place, from, to) {
  var runs = [], run = null, pieces = 24;
  function inside(t) { var p = fromPlace(t); return utmZone(p.lat, p.lng) === zone; }
  function fromPlace(t) { var own = place(from + t * (to - from)); return fromUtm(own[0], own[1], zone); }
  function border(a, b) {
    var first = inside(a);
    for (var turn = 0; turn < 16; turn += 1) { var mid = (a + b) / 2; if (inside(mid) === first) { a = mid; } else { b = mid; } }
    return (a + b) / 2;
  }
  function add(t) { var p = fromPlace(t); run.push(at(p.lat, p.lng)); }
  for (var k = 0; k <= pieces; k += 1) {
    var now = inside(k / pieces);
    if (now !== Boolean(run)) {
      if (now) { run = []; runs.push(run); }
      if (k) { add(border((k - 1) / pieces, k / pieces)); }
      if (!now) { run = null; }
    }
    if (now) { add(k / pieces); }
  }
  return runs;
}

function mgrsGrid(picture, view, top, right) {
  var pixel = metresPerPixel(), step = MGRS_STEPS.find(function (own) { return own / pixel >= APART.mgrs; });
  if (!step || view.north > 84 || view.south < -80) { picture.words = say("zoom in for the grid"); return; }
  zonesIn(view).forEach(function (zone) {
    var range = metresOf(zone, view), digits = Math.max(1, 5 - Math.log10(step));
    function label(value) { return String(Math.floor((value % 1e5 + 1e5) % 1e5)).padStart(5, "0").slice(0, digits); }
    function lines(low, high, line) {
      for (var value = Math.ceil(low / step) * step; value <= high; value += step) { line(value); }
    }
    lines(range.west, range.east, function (east) {
      runsOf(zone, function (north) { return [east, north]; }, range.south, range.north).forEach(function (run) {
        picture.lines.push(run);
        if (step < 1e5) { picture.texts.push(crossing(run, "y", top, { anchor: "start", text: label(east), x: 3, y: 0 })); }
      });
    });
    lines(range.south, range.north, function (north) {
      runsOf(zone, function (east) { return [east, north]; }, range.west, range.east).forEach(function (run) {
        picture.lines.push(run);
        if (step < 1e5) { picture.texts.push(crossing(run, "x", right, { anchor: "end", text: label(north), x: 0, y: -3 })); }
      });
    });
    squareNames(picture, zone, range, view);
    var border = 6 * zone - 186;
    if (border > view.west && border < view.east) { picture.lines.push([at(view.south, border), at(view.north, border)]); }
  });
  picture.words = say("Grid: MGRS, every {step}", { step: step < 1000 ? say("{figure} m", { figure: step }) : say("{figure} km", { figure: step / 1000 }) });
}

// Where a run of points crosses x or y = value; nothing where it does not.
function crossing(run, axis, value, text) {
  for (var k = 1; k < run.length; k += 1) {
    var a = run[k - 1], b = run[k], gap = b[axis] - a[axis];
    if (gap !== 0 && (a[axis] - value) * (b[axis] - value) <= 0) {
      var t = (value - a[axis]) / gap;
      return { x: a.x + t * (b.x - a.x) + text.x, y: a.y + t * (b.y - a.y) + text.y, anchor: text.anchor, text: text.text };
    }
  }
  return null;
}

// Letters of each 100-km square, in the middle of what the view shows of it.
function squareNames(picture, zone, range, view) {
  var pixel = metresPerPixel();
  for (var north = Math.floor(range.south / 1e5) * 1e5; north < range.north; north += 1e5) {
    var low = Math.max(north, range.south), high = Math.min(north + 1e5, range.north);
    var lat = fromUtm(500000, (low + high) / 2, zone).lat;
    var first = Math.max(range.west, toUtm(lat, 6 * zone - 186, zone).east);
    var last = Math.min(range.east, toUtm(lat, 6 * zone - 180, zone).east);
    for (var east = Math.floor(first / 1e5) * 1e5; east < last; east += 1e5) {
      var from = Math.max(east, first), to = Math.min(east + 1e5, last);
      if (to - from < 70 * pixel || high - low < 24 * pixel) { continue; }
      var middle = fromUtm((from + to) / 2, (low + high) / 2, zone);
      var shown = middle.lat > view.south && middle.lat < view.north && middle.lng > view.west && middle.lng < view.east;
      if (shown && utmZone(middle.lat, middle.lng) === zone) {
        var spot = at(middle.lat, middle.lng);
        picture.texts.push({ x: spot.x, y: spot.y, anchor: "middle", text: mgrs(middle.lat, middle.lng, 0), big: true });
      }
    }
  }
}

function drawGrid() {
  var size = map.getSize(), picture = gridKind === "none" ? { lines: [], texts: [], words: "" } : gridOf(gridKind);
  gridPicture.setAttribute("width", size.x);
  gridPicture.setAttribute("height", size.y);
  L.DomUtil.setPosition(gridPicture, map.containerPointToLayerPoint([0, 0]));
  var d = picture.lines.map(function (run) {
    return "M" + run.map(function (p) { return p.x.toFixed(1) + " " + p.y.toFixed(1); }).join("L");
  }).join("");
  gridPicture.replaceChildren.apply(gridPicture, ["halo", "line"].map(function (name) { return svgElement("path", { d: d, "class": name }); })
    .concat(picture.texts.filter(Boolean).map(function (own) {
      var text = svgElement("text", { x: own.x.toFixed(1), y: own.y.toFixed(1), "text-anchor": own.anchor });
      if (own.big) { text.setAttribute("class", "big"); }
      text.textContent = own.text;
      return text;
    })));
  tellGrid(picture.words);
}

function metresPerPixel() {
  // Web Mercator at the middle of the view: a circle of the equator's length is 256 pixels wide at zoom 0.
  return 2 * Math.PI * EARTH.a * Math.cos(radians(map.getCenter().lat)) / (256 * Math.pow(2, map.getZoom()));
}

(function () {
  var label = element("label", null, "pick"), select = element("select");
  label.append(spoken("span", term("Grid")), select);
  select.id = "grid";
  select.autocomplete = "off";
  [["none", term("None")], ["degrees", term("Degrees")], ["mgrs", term("MGRS")]].forEach(function (pair) {
    var option = spoken("option", pair[1]);
    option.value = pair[0];
    select.appendChild(option);
  });
  select.addEventListener("change", function () {
    gridKind = select.value;
    drawGrid();
  });
  toolsInside.appendChild(label);
  map.on("move zoomend resize viewreset", function () { if (gridKind !== "none") { drawGrid(); } });
})();
