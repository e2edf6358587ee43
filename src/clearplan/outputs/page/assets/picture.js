// --- all hazards as a picture: its cells carry classes, painted here at every zoom (see picture.py) ------------------

var PICTURE_HATCH = { outer: "outer", inner: "inner", other: "strike", SHA: "sha", CHA: "cha" };
var PICTURE_WORDS = {
  outer: term("Belt of the contact line, outer band (indication)"), inner: term("Belt of the contact line, inner band (indication)"),
  other: term("Cluster strikes and other indications"), SHA: CLASS_WORDS.SHA, CHA: CLASS_WORDS.CHA
};
var PICTURE_SWATCH = {
  outer: 'fill="url(#hatch-outer)"', inner: 'fill="url(#hatch-inner)"', other: 'fill="url(#hatch-strike)"',
  SHA: 'fill="url(#hatch-sha)"', CHA: 'fill="#FF0000" fill-opacity="0.6"'
};
var squares = {};

// A square of a level, once it is decoded; null where it holds no hazard.
function square(zoom, x, y) {
  var key = x + " " + y, own = zoom + " " + key, source = pictured.levels[zoom][key];
  if (!source) { return Promise.resolve(null); }
  if (!squares[own]) {
    var picture = new Image();
    picture.src = source;
    squares[own] = picture.decode().then(function () { return picture; });
  }
  return squares[own];
}

// Which class each cell of a tile is of: `count` cells a side from cell (x, y) of a level.
function classesIn(picture, x, y, count) {
  var sheet = document.createElement("canvas"), pen = sheet.getContext("2d", { willReadFrequently: true });
  sheet.width = sheet.height = count;
  pen.drawImage(picture, x % pictured.side, y % pictured.side, count, count, 0, 0, count, count);
  return pen.getImageData(0, 0, count, count).data;
}

function paintTile(tile, picture, x, y, count, corner) {
  var cells = new Uint32Array(classesIn(picture, x, y, count).buffer), masks = [];
  for (var n = 0; n < cells.length; n += 1) {
    var code = (cells[n] & 255) / 17; // red; the picture is of 16 greys
    if (!code) { continue; }
    masks[code] = masks[code] || new Uint32Array(cells.length);
    masks[code][n] = 0xff000000;
  }
  masks.forEach(function (mask, code) { paintClass(tile, new Uint8ClampedArray(mask.buffer), count, PICTURE_HATCH[pictured.classes[code - 1]], corner); });
}

function paintClass(tile, mask, count, name, corner) {
  var cells = document.createElement("canvas"), layer = document.createElement("canvas"), scale = tile.width / 256;
  cells.width = cells.height = count;
  cells.getContext("2d").putImageData(new ImageData(mask, count, count), 0, 0);
  layer.width = layer.height = tile.width;
  var brush = layer.getContext("2d"), side = HATCH[name].side;
  brush.imageSmoothingEnabled = false;
  brush.drawImage(cells, 0, 0, layer.width, layer.height);
  brush.globalCompositeOperation = "source-in";
  // Hatching begins at the map's corner, so that neighbouring tiles meet.
  brush.scale(scale, scale);
  brush.translate(-(corner.x % side), -(corner.y % side));
  brush.fillStyle = hatch(name);
  brush.fillRect(0, 0, 256 + side, 256 + side);
  tile.getContext("2d").drawImage(layer, 0, 0);
}

var PictureLayer = L.GridLayer.extend({
  createTile: function (coords, done) {
    var tile = document.createElement("canvas"), dense = window.devicePixelRatio > 1 ? 2 : 1;
    tile.width = tile.height = 256 * dense;
    var zooms = Object.keys(pictured.levels).map(Number), coarsest = Math.min.apply(null, zooms);
    var zoom = Math.min(Math.max(coords.z, coarsest), pictured.zoom), count = Math.round(256 * Math.pow(2, zoom - coords.z));
    var x = Math.floor(coords.x * count), y = Math.floor(coords.y * count), side = pictured.side;
    if (count > side) { setTimeout(done, 0, null, tile); return tile; } // so far out that the whole map is a few pixels
    square(zoom, Math.floor(x / side), Math.floor(y / side)).then(function (picture) {
      if (picture) { paintTile(tile, picture, x, y, Math.max(count, 1), { x: coords.x * 256, y: coords.y * 256 }); }
      done(null, tile);
    }, function (error) { done(error, tile); });
    return tile;
  }
});

function addPicture() {
  var layer = new PictureLayer({ pane: "picture", tileSize: 256, noWrap: true, keepBuffer: 1 });
  add(say("All hazard areas, as a picture"), layer, null);
  pictured.classes.forEach(function (name) {
    if (pictured.found.indexOf(name) < 0) { return; }
    layers.push({ name: say(PICTURE_WORDS[name]), layer: null,
      swatch: '<rect x="1" y="1" width="26" height="16" ' + PICTURE_SWATCH[name] + "/>" });
  });
}

// --- which tasks lie where the picture was clicked

function cellAt(where) {
  var at = map.project(where, pictured.zoom);
  return L.bounds([Math.floor(at.x), Math.floor(at.y)], [Math.floor(at.x) + 1, Math.floor(at.y) + 1]);
}

var boxes = null; // west, south, east, north of each task [degrees], made when the picture is first asked

function makeBoxes() {
  boxes = new Float64Array(4 * data.tasks.length);
  data.tasks.forEach(function (task, k) {
    var west = 180, south = 90, east = -180, north = -90;
    if (task.shape) {
      parts(task.shape).forEach(function (rings) {
        rings[0].forEach(function (at) {
          if (at[0] < south) { south = at[0]; }
          if (at[0] > north) { north = at[0]; }
          if (at[1] < west) { west = at[1]; }
          if (at[1] > east) { east = at[1]; }
        });
      });
    }
    boxes.set([west, south, east, north], 4 * k);
  });
}

// Whether a task's outline and a cell share ground; both in pixels of the picture's zoom.
function touches(task, cell) {
  var middle = cell.getCenter();
  return parts(task.shape).some(function (rings) {
    var inside = false;
    var crossed = rings.some(function (ring) {
      var points = ring.map(function (at) { return map.project(at, pictured.zoom); });
      return points.some(function (b, k) {
        var a = points[(k || points.length) - 1];
        if ((a.y > middle.y) !== (b.y > middle.y) && middle.x < (b.x - a.x) * (middle.y - a.y) / (b.y - a.y) + a.x) {
          inside = !inside;
        }
        return Boolean(L.LineUtil.clipSegment(a, b, cell, false, false));
      });
    });
    return crossed || inside;
  });
}

function tasksAt(where) {
  if (!boxes) { makeBoxes(); }
  var cell = cellAt(where), low = map.unproject([cell.min.x, cell.max.y], pictured.zoom);
  var high = map.unproject([cell.max.x, cell.min.y], pictured.zoom);
  return data.tasks.filter(function (task, k) {
    return boxes[4 * k] <= high.lng && boxes[4 * k + 2] >= low.lng && boxes[4 * k + 1] <= high.lat
      && boxes[4 * k + 3] >= low.lat && touches(task, cell);
  });
}

function describeCell(tasks, where) {
  var box = element("div", null, "card");
  box.appendChild(element("h3", say("Tasks in this cell or beside it: {n}", { n: figure(tasks.length, 0) })));
  box.appendChild(element("p", say("The picture can't tell tasks apart within a cell of about {m} m.", { m: figure(pictured.cell_m, 0) }), "quiet"));
  var list = element("ul", null, "cell");
  tasks.slice().sort(function (a, b) { return (a.rank || Infinity) - (b.rank || Infinity); }).slice(0, 30).forEach(function (task) {
    var item = element("li"), button = element("button", task.id, "link");
    button.type = "button";
    button.addEventListener("click", function () { show(task, where); });
    item.appendChild(button);
    var own = { "class": task["class"], rank: figure(task.rank, 0), of: figure(task.of, 0) };
    item.appendChild(element("span", isGated(task) ? say("{class}, no rank until its gate opens", own)
      : task.queue === "survey" ? say("{class}, rank {rank} of {of} in the survey queue", own)
      : say("{class}, rank {rank} of {of} in the clearance queue", own)));
    list.appendChild(item);
  });
  box.appendChild(list);
  if (tasks.length > 30) { box.appendChild(element("p", say("and {n} more, in tasks.csv", { n: figure(tasks.length - 30, 0) }), "quiet")); }
  return box;
}
