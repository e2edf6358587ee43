// --- north, scale and coordinates of the pointer, or of the map's centre for those who have none --------------------

var DOT_MM = 25.4 / 96; // a CSS pixel
var gridWords = element("p"), scaleWords = element("p", null, "scale"), whereWords = element("p", null, "where"), squareWords = element("p", null, "where");

function tellGrid(words) {
  write(gridWords, words);
  gridWords.hidden = !words;
}

function twoDigits(value) {
  var unit = Math.pow(10, Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}

// As many digits as a pixel can tell: none would be true of the ground, but of the picture.
function whereTold(where) {
  var pixel = metresPerPixel(), place = where.wrap(), decimals = pixel < 2 ? 5 : pixel < 20 ? 4 : pixel < 200 ? 3 : 2;
  var square = mgrs(place.lat, place.lng, decimals);
  return [say("{lat}° {ns}, {lon}° {ew}", {
    lat: Math.abs(place.lat).toFixed(decimals), ns: place.lat < 0 ? say("S") : say("N"),
    lon: Math.abs(place.lng).toFixed(decimals), ew: place.lng < 0 ? say("W") : say("E")
  }), square ? say("MGRS {square}", { square: square }) : say("no MGRS near the poles")];
}

(function () {
  var control = L.control({ position: "bottomright" }), box = element("div", null, "readout"), pointer = null, waiting = null;
  var lines = element("div"), north = svgElement("svg", { width: 26, height: 40, viewBox: "0 0 26 40", role: "img", "class": "north" });
  north.append(svgElement("path", { d: "M13 12L20 38L13 32Z", fill: "#1b1b1b", stroke: "#1b1b1b" }),
    svgElement("path", { d: "M13 12L6 38L13 32Z", fill: "#fff", stroke: "#1b1b1b" }));
  var letter = svgElement("text", { x: 13, y: 9.5, "text-anchor": "middle", "font-size": 11, "font-weight": 700 });
  north.appendChild(letter);
  lines.append(gridWords, scaleWords, whereWords, squareWords);
  box.append(north, lines);
  control.onAdd = function () { return box; };
  control.addTo(map);
  var cross = svgElement("svg", { width: 25, height: 25, "class": "crosshair", "aria-hidden": "true" });
  cross.append(svgElement("path", { d: "M12.5 0V25M0 12.5H25", stroke: "#fff", "stroke-width": 4 }),
    svgElement("path", { d: "M12.5 1V24M1 12.5H24", stroke: "#1b1b1b", "stroke-width": 1.6 }));
  holder.appendChild(cross);

  function tellWhere() {
    var words = whereTold(pointer ? map.containerPointToLatLng(pointer) : map.getCenter());
    write(whereWords, pointer ? say("Pointer: {where}", { where: words[0] }) : say("Centre: {where}", { where: words[0] }));
    write(squareWords, words[1]);
  }
  function tellScale() {
    write(scaleWords, say("About 1:{number} on this screen",
      { number: figure(twoDigits(metresPerPixel() * 1000 / DOT_MM), 0) }));
  }
  function byPointer(event) {
    var inTools = event.target.closest && event.target.closest(".leaflet-control, #tools");
    pointer = inTools || event.pointerType === "touch" ? null : map.mouseEventToContainerPoint(event);
    holder.classList.toggle("touched", event.pointerType === "touch");
    tellWhere();
  }
  function byCentre() {
    pointer = null;
    tellWhere();
  }
  holder.addEventListener("pointermove", byPointer);
  holder.addEventListener("pointerdown", byPointer);
  holder.addEventListener("pointerleave", byCentre);
  holder.addEventListener("keydown", byCentre);
  map.on("move zoomend resize", tellWhere);
  map.on("zoomend moveend", tellScale);
  // Who moves the map by keys hears where its centre has come to rest.
  map.on("moveend", function () {
    clearTimeout(waiting);
    if (document.activeElement !== holder || pointer) { return; }
    waiting = setTimeout(function () { announce(whereWords.textContent + "; " + squareWords.textContent); }, 600);
  });
  onWords(function () {
    north.setAttribute("aria-label", say("North is up"));
    letter.textContent = say("N");
    tellScale();
    tellWhere();
    drawGrid();
  });
})();
