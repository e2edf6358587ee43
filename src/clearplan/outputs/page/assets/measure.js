// --- measure: points by click or, at the map's centre, by Enter; length and area on the ellipsoid ------------------

var measuring = null;
pane("measure", 630, false);

function lengthWords(metres) {
  return metres < 1000 ? say("{figure} m", { figure: figure(metres, metres < 100 ? 1 : 0) })
    : say("{figure} km", { figure: figure(metres / 1000, metres < 1e5 ? 2 : 1) });
}
function areaWords(m2) {
  return m2 < 1e4 ? say("{figure} m²", { figure: figure(m2, 0) })
    : m2 < 1e6 ? say("{figure} ha", { figure: figure(m2 / 1e4, 2) }) : say("{figure} km²", { figure: figure(m2 / 1e6, 2) });
}

function pathMetres(points) {
  return points.slice(1).reduce(function (sum, point, k) { return sum + geodesicMetres(points[k], point); }, 0);
}

// Without a shape that is closed there is no area; one that crosses itself has none either.
function measuredWords(points, closed) {
  if (!points.length) { return say("Click the map to add points, or move it with the arrow keys and press Enter to add its centre."); }
  if (points.length === 1) { return say("First point set."); }
  var length = lengthWords(pathMetres(closed ? points.concat([points[0]]) : points));
  if (!closed) { return say("{length} over {count} point.|{length} over {count} points.", { length: length, count: points.length }); }
  return crossesItself(points) ? say("{length} around. Its sides cross, so it has no area.", { length: length })
    : say("{length} around, area {area}.", { length: length, area: areaWords(ringSquareMetres(points)) });
}

(function () {
  var start = pressable(spoken("button", term("Measure")), function () { if (measuring) { end(); } else { begin(); } });
  start.id = "measure";
  start.setAttribute("aria-pressed", "false");
  toolsInside.appendChild(start);

  var box = element("div", null, "measured"), words = element("p", null, "words"), note = element("p", null, "quiet");
  words.setAttribute("role", "status");
  var closing = pressable(element("button", null, "link"), function () { closed = !closed; redraw(); });
  box.append(words, note,
    pressable(spoken("button", term("Add centre"), "link"), function () { addPoint(map.getCenter()); }), closing,
    pressable(spoken("button", term("Remove last"), "link"), removeLast),
    pressable(spoken("button", term("End"), "link"), end));
  box.hidden = true;
  // A phone's map is too small for a box of words: there the sheet below holds it.
  if (phone) { document.getElementById("panel").prepend(box); } else { tools.appendChild(box); }

  // Above all that can be clicked, so that a click is a point and opens no card; drags and the wheel pass to the map.
  var cover = element("div", null, "measure-cover"), pressed = null, points = [], closed = false;
  var drawn = L.layerGroup(), renderer = L.svg({ pane: "measure", padding: 0.5 });
  cover.addEventListener("mousedown", function (event) { pressed = [event.clientX, event.clientY]; });
  ["click", "dblclick"].forEach(function (name) { cover.addEventListener(name, function (event) { event.stopPropagation(); }); });
  cover.addEventListener("click", function (event) {
    if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 5) { return; }
    var here = map.mouseEventToContainerPoint(event);
    // The second click of a double click, and one on the first point, close the shape.
    var first = points.length > 2 && map.latLngToContainerPoint(points[0]).distanceTo(here) < 10;
    if (first) { closed = true; redraw(); } else if (event.detail < 2) { addPoint(map.containerPointToLatLng(here)); }
  });

  function still2(own) { return still(renderer, L.extend({ fill: false, color: "#1b1b1b", weight: 3 }, own)); }
  function redraw() {
    if (points.length < 3) { closed = false; }
    drawn.clearLayers();
    [still2({ color: "#ffffff", weight: 7 }), still2({ dashArray: "8 4" })].forEach(function (style) {
      if (points.length > 1) { drawn.addLayer(closed ? L.polygon(points, style) : L.polyline(points, style)); }
    });
    points.forEach(function (point) {
      drawn.addLayer(L.circleMarker(point, still2({ radius: 5, weight: 2, fill: true, fillColor: "#ffffff", fillOpacity: 1 })));
    });
    write(words, measuredWords(points, closed));
    write(closing, closed ? say("Open shape") : say("Close shape"));
    closing.disabled = points.length < 3;
    var centre = map.getCenter(), pixel = geodesicMetres(centre, map.containerPointToLatLng(map.getSize().divideBy(2).add([1, 0])));
    write(note, say("Shortest ways on the WGS 84 ellipsoid, exact to a millimetre; pointing is not: one pixel is {metres} here.",
      { metres: lengthWords(pixel) }));
  }
  function addPoint(where) {
    if (closed) { points = []; closed = false; }
    points.push(L.latLng(where.lat, where.lng));
    redraw();
  }
  function removeLast() {
    if (closed) { closed = false; } else { points.pop(); }
    redraw();
  }
  function begin() {
    measuring = true;
    points = [];
    calm();
    map.closePopup();
    holder.appendChild(cover);
    drawn.addTo(map);
    box.hidden = false;
    document.getElementById("panel").scrollTop = 0;
    openTools(false);
    holder.classList.add("measuring");
    start.setAttribute("aria-pressed", "true");
    map.doubleClickZoom.disable();
    redraw();
    holder.focus({ preventScroll: true });
  }
  function end() {
    measuring = null;
    closed = false;
    cover.remove();
    drawn.clearLayers().remove();
    box.hidden = true;
    holder.classList.remove("measuring");
    start.setAttribute("aria-pressed", "false");
    map.doubleClickZoom.enable();
    announce(say("Measuring ended."));
    holder.focus({ preventScroll: true });
  }
  map.on("zoomend", function () { if (measuring) { redraw(); } });
  onWords(redraw);

  // Before all others: while measuring, Enter opens no card and Escape closes none.
  document.addEventListener("keydown", function (event) {
    if (!measuring || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) { return; }
    var act = event.key === "Escape" ? end : event.key === "Backspace" ? removeLast
      : event.key === "Enter" && event.target === holder ? function () { addPoint(map.getCenter()); } : null;
    if (!act) { return; }
    event.preventDefault();
    event.stopPropagation();
    act();
  }, true);
})();
