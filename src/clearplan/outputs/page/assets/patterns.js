// --- hatching on canvases: the same as the patterns in the page's SVG, without which classes could not be told in grey --

var HATCH = {
  outer: { side: 14, ground: "rgba(142,124,195,0.14)", line: "#5E4B8B", width: 0.8, rising: true },
  inner: { side: 8, ground: "rgba(142,124,195,0.24)", line: "#5E4B8B", width: 1.1, rising: true },
  strike: { side: 8, ground: "rgba(142,124,195,0.22)", dot: "#5E4B8B" },
  sha: { side: 12, ground: "rgba(244,167,24,0.55)", line: "#8A5A00", width: 1.4, rising: false },
  cha: { side: 8, ground: "rgba(225,0,0,0.6)" }
};
var patternOf = {};

function hatch(name) {
  if (patternOf[name]) { return patternOf[name]; }
  var own = HATCH[name], tile = document.createElement("canvas"), pen = tile.getContext("2d"), side = own.side;
  tile.width = tile.height = 2 * side; // twice as fine as it is drawn, for screens with small pixels
  pen.scale(2, 2);
  pen.fillStyle = own.ground;
  pen.fillRect(0, 0, side, side);
  if (own.dot) {
    pen.fillStyle = own.dot;
    pen.beginPath();
    pen.arc(side / 2, side / 2, 1.4, 0, 2 * Math.PI);
    pen.fill();
  }
  if (own.line) {
    pen.strokeStyle = own.line;
    pen.lineWidth = own.width;
    [-1, 0, 1].forEach(function (k) { // the corners, too, so that tiles meet without a gap
      pen.beginPath();
      pen.moveTo(k * side - 1, own.rising ? side + 1 : -1);
      pen.lineTo((k + 1) * side + 1, own.rising ? -1 : side + 1);
      pen.stroke();
    });
  }
  patternOf[name] = pen.createPattern(tile, "repeat");
  patternOf[name].setTransform(new DOMMatrix([0.5, 0, 0, 0.5, 0, 0]));
  return patternOf[name];
}

function hatching(name) { return manyAreas ? hatch(name) : "url(#hatch-" + name + ")"; }
