/* Draws the page from the JSON in #clearplan-data. Text from data is only ever set as textContent. */
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("clearplan-data").textContent);
  var about = data.about;
  var map = map_clearplan.setMaxZoom(18);
  map.options.zoomSnap = 0.25;
  var phone = window.matchMedia("(max-width: 700px)").matches;

  var COLOUR = {
    CHA: { fill: "#FF0000", line: "#7A0000" },
    SHA: { fill: "#F4A718", line: "#8A5A00" },
    indication: { fill: "#8E7CC3", line: "#5E4B8B" }
  };
  var CLASS_WORDS = {
    CHA: "Confirmed hazardous area (CHA)",
    SHA: "Suspected hazardous area (SHA)",
    indication: "Indication, not yet surveyed"
  };
  // Blues from dark to light: told apart in grey and by colour-blind readers, unlike every hazard's colour. No green: low
  // priority is not free of hazard.
  var PRIORITY = {
    high: { line: "#1B0B3B", weight: 2.2, tint: 0.6, words: "High priority" },
    medium: { line: "#0072B2", weight: 1.5, tint: 0.4, words: "Medium priority" },
    low: { line: "#56B4E9", weight: 1.2, tint: 0.3, words: "Low priority, not free of hazard" }
  };
  var PRIORITY_WORDS = {
    "high": "high", "medium": "medium", "low": "low", "high/medium": "high or medium: nobody can tell",
    "medium/low": "medium or low: nobody can tell", "high/low": "high, medium or low: nobody can tell"
  };
  var GATED = { line: "#5A5A5A", fill: "#9A9A9A" };
  var NUMBERED = 10; // tasks of each queue that carry their rank on the map
  var FOLDED = 5; // more tasks behind gates than this open on demand

  // plan {
  var plan = data.plan;
  var stop = -1; // of the slider: -1 is today, when the plan is not shown
  // Dashed as what is not yet so. Nothing that is planned looks like ground that is released.
  var PLANNED = { line: "#00695C", fill: "#00695C" }, UNDER_WAY = { line: "#7B1257", fill: "#D98CB3" };
  var PLACE_LINE = "#00429D";
  var placeMarkers = [];
  // } plan

  // --- small helpers ---------------------------------------------------------------------------------------

  function element(tag, text, className) {
    var node = document.createElement(tag);
    if (text !== undefined && text !== null) { node.textContent = text; }
    if (className) { node.className = className; }
    return node;
  }

  function figure(value, digits) {
    if (value === null || value === undefined) { return "unknown"; }
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  // Three meaningful digits where a figure is small, none behind the point where it is large.
  function raw(value, unit) {
    if (value === null) { return "none given"; }
    var digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2;
    return figure(value, digits) + (unit === "0-1" ? "" : " " + unit);
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

  // --- layers, from the ground up ----------------------------------------------------------------------------

  // The canvas takes every click within the map, so what else can be clicked stands above it.
  pane("ground", 300, false);
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
    add("Relief", L.imageOverlay(context.relief.image, context.relief.bounds, { pane: "tilePane", alt: "" }), null);
  }
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

  function percent(p) {
    return p < 0.001 ? "below 0.1 %" : "about " + (p < 0.1 ? (100 * p).toPrecision(2) : Math.round(100 * p)) + " %";
  }

  function surfaceWords(where) {
    var found = surfaceAt(where);
    if (!found) { return null; }
    return element("p", found.known
      ? "Here: " + percent(found.p) + " probability that a cell of " + data.surface.cell_m + " m holds explosive ordnance; moved most by "
        + found.why + "."
      : "Here nobody knows: no evidence lies within reach, or the data do not speak of this ground. That is not a low probability.", found.known ? null : "assumed");
  }

  if (surface) {
    var picture = new Image();
    picture.onload = function () { paintSurface(picture); document.documentElement.dataset.surface = "yes"; };
    picture.src = data.surface.image;
    var ramp = [0.001, 0.01, 0.05, 0.2, 0.5, 1].map(function (p, k) {
      return '<rect x="' + (1 + 4.4 * k) + '" y="3" width="4.4" height="12" fill="rgb(' + surfaceColour(p).map(Math.round).join() + ')"/>';
    }).join("");
    add("Probability of explosive ordnance: pale below 1 %, dark above 50 %", surface.layer, ramp, false);
    layers.push({ name: "Nobody knows (dots, where the probability is shown)", layer: null,
      swatch: '<path d="M4 5h.1M12 5h.1M20 5h.1M4 13h.1M12 13h.1M20 13h.1" stroke="#464646" stroke-width="2.4" stroke-linecap="round"/>' });
  }

  var outlines = L.layerGroup([
    group(context.districts, still(svg.ground, { color: "#6b6b6b", weight: 0.8, dashArray: "4 3", fill: false })),
    group(context.countries, still(svg.ground, { color: "#444444", weight: 1.6, fill: false }))
  ]);
  if (context.districts.length + context.countries.length) {
    add("Country and district outlines", outlines,
      '<path d="M1 5H27" stroke="#444" stroke-width="1.6"/><path d="M1 13H27" stroke="#6b6b6b" stroke-dasharray="4 3"/>');
  }
  if (context.rivers.length + context.lakes.length) {
    add("Rivers and lakes", L.layerGroup([
      group(context.lakes, still(svg.ground, { color: "#6f9fb8", weight: 0.6, fillColor: "#b9d5e3", fillOpacity: 1 })),
      group(context.rivers, still(svg.ground, { color: "#6f9fb8", weight: 1.2, fill: false }))
    ]), '<path d="M1 12C8 2 14 18 27 7" stroke="#6f9fb8" stroke-width="1.6" fill="none"/>');
  }

  function band(name, words) {
    var own = areaGroup(
      function (area) { return area.kind === "contact-line" && area.band === name; },
      still(svg.indication, { color: COLOUR.indication.line, weight: 1, fillColor: "url(#hatch-" + name + ")", fillOpacity: 1 })
    );
    if (own.getLayers().length) {
      add(words, own, '<rect x="1" y="1" width="26" height="16" fill="url(#hatch-' + name + ')" stroke="#5E4B8B"/>');
    }
  }
  band("outer", "Belt of the contact line, outer band (indication)");
  band("inner", "Belt of the contact line, inner band (indication)");

  function field(test, words, style, swatch) {
    var own = areaGroup(function (area) { return area.kind !== "contact-line" && test(area); }, style);
    if (own.getLayers().length) { add(words, own, swatch); }
  }
  field(function (a) { return a.class === "indication"; }, "Cluster strikes and other indications",
    still(svg.indication, { color: "#5E4B8B", weight: 1.2, dashArray: "2 3", fillColor: "url(#hatch-strike)", fillOpacity: 1 }),
    '<rect x="1" y="1" width="26" height="16" fill="url(#hatch-strike)" stroke="#5E4B8B" stroke-dasharray="2 3"/>');
  field(function (a) { return a.class === "SHA"; }, CLASS_WORDS.SHA,
    still(svg.hazard, { color: COLOUR.SHA.line, weight: 1.2, dashArray: "5 3", fillColor: "url(#hatch-sha)", fillOpacity: 1 }),
    '<rect x="1" y="1" width="26" height="16" fill="url(#hatch-sha)" stroke="#8A5A00" stroke-dasharray="5 3" stroke-width="1.2"/>');
  field(function (a) { return a.class === "CHA"; }, CLASS_WORDS.CHA,
    still(svg.hazard, { color: COLOUR.CHA.line, weight: 1.2, fillColor: COLOUR.CHA.fill, fillOpacity: 0.5 }),
    '<rect x="1" y="1" width="26" height="16" fill="#FF0000" fill-opacity="0.5" stroke="#7A0000" stroke-width="1.2"/>');

  // --- tasks: line weight and a number tell the priority -----------------------------------------------------

  var layerOf = {};

  // From afar the borders of a thousand tasks would hide the ground that they divide.
  var NEAR = 10.5;
  var CLOSE = 13; // from here on a record's field is large enough to carry its name

  function isGated(task) { return task.rank === null; }

  function isUnsure(task) { return Boolean(task.priority) && task.priority.indexOf("/") > 0; }

  // Where nobody can tell, the higher class counts: an outline must not play a hazard down.
  function priorityOf(task) { return task.priority ? PRIORITY[task.priority.split("/")[0]] : null; }

  function taskStyle(task) {
    var near = map.getZoom() >= NEAR;
    var shared = { renderer: canvas, pane: "task", bubblingMouseEvents: false };
    if (isGated(task)) {
      return L.extend(shared, { color: GATED.line, weight: near ? 2 : 1, opacity: 1, dashArray: near ? "1 5" : null,
        fillColor: GATED.fill, fillOpacity: 0.7 });
    }
    // plan {
    if (stop >= 0) { return L.extend(shared, plannedStyle(task, near)); }
    // } plan
    var early = task.rank <= NUMBERED, own = priorityOf(task);
    if (own) {
      // Close by, outlines tell and the hazard's hatching stays to be read; from afar a tint does, paler where unsure.
      return L.extend(shared, { stroke: near || early, color: own.line, weight: early ? 3 : own.weight, opacity: 1,
        dashArray: near && isUnsure(task) ? "6 5" : null, fillColor: own.line,
        fillOpacity: near ? 0.06 : own.tint * (isUnsure(task) ? 0.5 : 1) });
    }
    var weight = early ? 3 : near && task.rank <= task.of / 4 ? 1.5 : near ? 0.5 : 0;
    return L.extend(shared, {
      stroke: weight > 0, color: COLOUR[task.class].line, weight: weight,
      opacity: weight < 1 ? 0.55 : 1, fillColor: COLOUR[task.class].fill, fillOpacity: early ? 0.25 : 0.01
    });
  }

  // Those that wait in a queue, by rank; what stands behind a gate waits in none.
  function tasksOf(queue) {
    return data.tasks.filter(function (task) { return task.queue === queue && !isGated(task); });
  }

  var gatedTasks = data.tasks.filter(isGated);

  function polygons(tasks) {
    // The first in rank are drawn last, on top.
    return L.layerGroup(tasks.slice().reverse().map(function (task) {
      var polygon = draw(task.shape, taskStyle(task));
      polygon.on("click", function (event) { show(task, event.latlng); });
      layerOf[task.id] = polygon;
      return polygon;
    }));
  }

  function taskLayer(queue) {
    var tasks = tasksOf(queue);
    var drawn = polygons(tasks);
    tasks.slice(0, NUMBERED).reverse().forEach(function (task) {
      var marker = L.marker(layerOf[task.id].getBounds().getCenter(), {
        icon: L.divIcon({ html: element("span", task.rank), className: "number " + queue, iconSize: [24, 24] }),
        title: queue + " rank " + task.rank, zIndexOffset: 100 - task.rank
      });
      marker.on("click", function () { show(task, marker.getLatLng()); });
      drawn.addLayer(marker);
    });
    return drawn;
  }

  // plan {
  // --- the plan of work: what is planned to be done by a stop of the slider -----------------------------------------

  var MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"];

  function dayWords(iso) {
    var numbers = iso.split("-").map(Number);
    return numbers[2] + " " + MONTHS[numbers[1] - 1] + " " + numbers[0];
  }

  function stopWords(k) { return dayWords(plan.stops[k][1]) + " (" + plan.stops[k][0] + ")"; }

  function lastStop() { return plan.stops.length - 1; }

  function isFinished(task) { return Boolean(task.plan) && task.plan.finish !== null && task.plan.finish <= stop; }

  function isUnderWay(task) { return Boolean(task.plan) && task.plan.start <= stop && !isFinished(task); }

  function plannedStyle(task, near) {
    if (isFinished(task)) {
      return { stroke: true, color: PLANNED.line, weight: near ? 2 : 1.4, opacity: 1, dashArray: near ? "6 4" : null,
        fillColor: PLANNED.fill, fillOpacity: near ? 0.12 : 0.6 };
    }
    if (isUnderWay(task)) {
      return { stroke: true, color: UNDER_WAY.line, weight: near ? 2.6 : 1.4, opacity: 1, dashArray: null,
        fillColor: UNDER_WAY.fill, fillOpacity: near ? 0.25 : 0.9 };
    }
    return { stroke: near, color: "#444444", weight: 0.6, opacity: 0.7, dashArray: null, fillColor: "#444444",
      fillOpacity: 0.01 };
  }

  function paragraphs(told) {
    var box = element("div", null, "work");
    told.forEach(function (words) { box.appendChild(element("p", words)); });
    return box;
  }

  function workWords(task) {
    var work = task.plan;
    if (!work) { return ["Not in the plan: no team is sent here by " + stopWords(lastStop()) + "."]; }
    var told = [(work.teams.length > 1 ? "Planned teams: " : "Planned team: ") + (listed(work.teams, 8) || "not named") + "."];
    told.push("Planned to start in " + plan.stops[work.start][0] + " (from " + dayWords(work.begins) + ") and "
      + (work.finish !== null ? "to be finished by " + stopWords(work.finish) + "."
        : "not finished by " + stopWords(lastStop()) + (work.part === undefined ? "" : ": " + share(work.part) + " done then") + "."));
    return told;
  }

  function isOpen(zone, k) { return zone.plan.opens !== null && zone.plan.opens <= k; }

  function halfWords(own) {
    if (own.p50 === undefined) { return ""; }
    if (own.p50 === null) { return " P50 and P80 lie beyond the plan."; }
    return " Half of them have it open by " + dayWords(own.p50) + " (P50), four of five "
      + (own.p80 ? "by " + dayWords(own.p80) : "only beyond the plan") + " (P80).";
  }

  function openingWords(zone) {
    var own = zone.plan, told = [];
    told.push(own.opens === null ? "Never opens in the plan, which ends on " + stopWords(lastStop()) + "."
      : own.opens === 0 ? "Planned to be open from the start, " + dayWords(plan.stops[0][1]) + "."
      : "Planned to be open by " + stopWords(own.opens) + ".");
    if (own.waits !== null) {
      told.push(own.waits === 0 ? "Waits for no task."
        : "Waits for " + figure(own.waits, 0) + (own.waits === 1 ? " task to be finished." : " tasks, all to be finished."));
    }
    if (own.probability !== null) {
      told.push((own.opens === null ? "Open at the plan's end in " : "Open by that day in ") + share(own.probability)
        + " of the draws." + halfWords(own));
    }
    if (own.why) { told.push("Why: " + own.why); }
    if (own.sooner) { told.push("Sooner: " + own.sooner); }
    return told;
  }
  // } plan

  // A phone's map is too small for a bubble with a table: there the sheet below tells.
  function popup(where, content) {
    if (phone) {
      var detail = document.getElementById("detail");
      var close = element("button", "Close", "close");
      close.type = "button";
      close.addEventListener("click", function () { detail.replaceChildren(); });
      detail.replaceChildren(close, content);
      document.getElementById("panel").scrollTop = 0;
      map.panTo(where, { animate: false });
      return;
    }
    L.popup({ maxWidth: 430, minWidth: 330, autoPanPadding: [12, 12] })
      .setLatLng(where).setContent(content).openOn(map);
  }

  function explanation(task) {
    var table = element("table");
    var head = table.createTHead().insertRow();
    ["Criterion", "Figure", "Value 0-1", "Weight", "Points"].forEach(function (name) { head.appendChild(element("th", name)); });
    var body = table.createTBody();
    task.figures.forEach(function (own, k) {
      if (own[2] === null) { return; }
      var row = body.insertRow();
      row.appendChild(element("td", data.criteria[k].label));
      row.appendChild(element("td", raw(own[0], data.criteria[k].unit)));
      row.appendChild(element("td", figure(own[1], 3)));
      row.appendChild(element("td", figure(own[2], 1)));
      row.appendChild(element("td", figure(own[3], 2), "points"));
    });
    var foot = table.createTFoot().insertRow();
    ["Score of 100", "", "", "", figure(task.score, 2)].forEach(function (text) { foot.appendChild(element("td", text)); });
    return table;
  }

  function listed(names, most) {
    var shown = names.slice(0, most).join(", ");
    return names.length > most ? shown + " and " + (names.length - most) + " more" : shown;
  }

  // A share of draws is a count of chances: none of them, or all, is only said where it is so.
  function share(part) {
    if (part > 0 && part < 0.01) { return "below 1 %"; }
    if (part < 1 && part > 0.99) { return "over 99 %"; }
    return Math.round(100 * part) + " %";
  }

  // How sure the rank is, in sentences; none where nothing was drawn.
  function howSure(task) {
    var told = [];
    if (task.priority) {
      told.push("Priority class: " + (PRIORITY_WORDS[task.priority] || task.priority)
        + (task.class_share === undefined ? "" : isUnsure(task) ? "; its likeliest class holds " + share(task.class_share)
          + " of the draws" : ", in " + share(task.class_share) + " of the draws") + ".");
    }
    var chances = [];
    if (task.first_share !== undefined) {
      chances.push("among the first " + (data.first ? data.first + " " : "") + "in " + share(task.first_share) + " of the draws");
    }
    if (task.between) {
      chances.push((task.between[0] === task.between[1] ? "rank " + task.between[0]
        : "rank between " + task.between[0] + " and " + task.between[1]) + " in 90 % of the draws");
    }
    if (chances.length) { told.push("With weights and uncertain figures drawn anew: " + chances.join(", ") + "."); }
    if (task.tied) { told.push("Tied with " + task.tied + ": their order flips too often to put one before the other."); }
    if (task.change) { told.push(task.change); }
    return told;
  }

  function place(task) {
    var points = figure(task.score, 1) + " of 100 points.";
    return isGated(task) ? "No rank in the " + task.queue + " queue until its gate opens; " + points
      : "Rank " + task.rank + " of " + task.of + " in the " + task.queue + " queue, " + points;
  }

  function describe(task) {
    var box = element("div", null, "card");
    box.appendChild(element("h3", task.id));
    box.appendChild(element("p", place(task)));
    if (task.gates) { box.appendChild(element("p", "Behind a gate: " + task.gates, "gate")); }
    // plan {
    box.appendChild(paragraphs(workWords(task)));
    // } plan
    var sure = element("div", null, "sure");
    howSure(task).forEach(function (words) { sure.appendChild(element("p", words)); });
    if (sure.childNodes.length) { box.appendChild(sure); }
    box.appendChild(element("p", CLASS_WORDS[task.class] + ", " + figure(task.ha, 1) + " ha, "
      + (task.district || "outside every district given") + ". Position error up to " + raw(task.error_m, "m") + "."));
    if (task.expected[0] !== null) {
      box.appendChild(element("p", "Expected to be contaminated: " + figure(task.expected[0] / 1e4, 1) + " ha (90 % interval "
        + figure(task.expected[1] / 1e4, 1) + " to " + figure(task.expected[2] / 1e4, 1) + ")"
        + (task.expected[3] > 5000 ? "; of " + figure(task.expected[3] / 1e4, 1) + " ha nobody knows" : "") + "."));
    }
    box.appendChild(explanation(task));
    if (task.unknown) {
      box.appendChild(element("p", "Assumed: " + figure(task.assumed, 0) + " people for " + task.unknown
        + " place(s) whose number nobody has published.", "assumed"));
    }
    box.appendChild(element("p", task.zones.length ? "Affects: " + listed(task.zones, 8) : "Affects no listed place.", "quiet"));
    box.appendChild(element("p", "Made of: " + listed(task.hazards, 8), "quiet"));
    task.hazards.forEach(function (hazard) {
      if (!recordOf[hazard]) { return; }
      var button = element("button", "Record " + hazard, "link");
      button.type = "button";
      button.addEventListener("click", function () { popup(layerOf[task.id].getBounds().getCenter(), describeRecord(recordOf[hazard])); });
      box.appendChild(button);
    });
    if (about.illustrative) { box.appendChild(element("p", about.illustrative, "quiet")); }
    return box;
  }

  function show(task, where) {
    var box = describe(task), here = surfaceWords(where);
    if (here) { box.insertBefore(here, box.querySelector("table")); }
    popup(where, box);
  }

  // Beyond all tasks a click still tells what the surface knows.
  map.on("click", function (event) {
    var here = surfaceWords(event.latlng);
    if (!here) { return; }
    var box = element("div", null, "card");
    box.appendChild(here);
    popup(event.latlng, box);
  });

  // Where classes colour the outlines, a swatch in the hazard's colour would say what is not drawn.
  var classed = data.tasks.some(function (task) { return Boolean(task.priority); });

  function taskSwatch(fill, line) {
    return classed ? null : '<rect x="2" y="3" width="24" height="12" fill="' + fill + '" fill-opacity="0.2" stroke="' + line
      + '" stroke-width="3"/>';
  }

  if (gatedTasks.length) {
    add("Behind a gate, no rank until it opens", polygons(gatedTasks),
      '<rect x="2" y="3" width="24" height="12" fill="#9A9A9A" fill-opacity="0.7" stroke="#5A5A5A" stroke-width="2" stroke-dasharray="1 4" stroke-linecap="round"/>');
  }
  // plan {
  var belowRanks = layers.length;
  // } plan
  add("Tasks to survey", taskLayer("survey"), taskSwatch("#F4A718", "#8A5A00"));
  add("Tasks to clear", taskLayer("clearance"), taskSwatch("#FF0000", "#7A0000"));
  if (classed) { addClasses(); }

  // plan {
  layers.slice(belowRanks).forEach(function (entry) { entry.ranks = true; });
  // } plan

  // Legend alone: the queues' layers hold the tasks. Listed from the bottom, as all layers are.
  function addClasses() {
    function outline(own, dashed) {
      return '<rect x="2" y="3" width="24" height="12" fill="' + own.line + '" fill-opacity="0.15" stroke="' + own.line
        + '" stroke-width="' + (own.weight + 0.6) + '"' + (dashed ? ' stroke-dasharray="5 4"' : "") + "/>";
    }
    if (data.tasks.some(isUnsure)) {
      layers.push({ name: "Dashed, from afar paler: of this class or a lower one, nobody can tell", layer: null, swatch: outline(PRIORITY.high, true) });
    }
    ["low", "medium", "high"].forEach(function (name) {
      if (!data.tasks.some(function (task) { return priorityOf(task) === PRIORITY[name]; })) { return; }
      layers.push({ name: PRIORITY[name].words, layer: null, swatch: outline(PRIORITY[name], false) });
    });
  }

  // --- accidents, places, contact line -----------------------------------------------------------------------

  if (data.accidents.length) {
    add("Accidents", L.layerGroup(data.accidents.map(function (accident) {
      return L.marker(latLngs(accident.shape.parts[0][0])[0], {
        icon: L.divIcon({ html: cross(), className: "accident", iconSize: [9, 9] }),
        pane: "contact", interactive: false, keyboard: false
      });
    })), '<path d="M9 4L19 14M19 4L9 14" stroke="#1b1b1b" stroke-width="2"/>');
  }

  function cross() {
    var picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("width", "9");
    picture.setAttribute("height", "9");
    var path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", "M1.5 1.5L7.5 7.5M7.5 1.5L1.5 7.5");
    path.setAttribute("stroke", "#1b1b1b");
    path.setAttribute("stroke-width", "1.3");
    picture.appendChild(path);
    return picture;
  }

  var labels = [];

  function peopleWords(zone) {
    return zone.people === null ? "people unknown" : figure(zone.people, 0) + " people";
  }

  function describeZone(zone) {
    var box = element("div", null, "card");
    box.appendChild(element("h3", zone.name));
    box.appendChild(element("p", "People: " + figure(zone.people, 0) + ". Families: " + figure(zone.families, 0) + "."));
    if (zone["return"]) { box.appendChild(element("p", "Planned return: " + zone["return"])); }
    // plan {
    box.appendChild(paragraphs(openingWords(zone)));
    // } plan
    box.appendChild(element("p", "Position error: " + raw(zone.error_m, "m"), "quiet"));
    box.appendChild(element("p", zone.source, "quiet"));
    return box;
  }

  add("Places of return", L.layerGroup(data.zones.map(function (zone) {
    var marker = draw(zone.shape, {
      renderer: svg.zone, pane: "zone", bubblingMouseEvents: false, radius: 6, color: "#00429D", weight: 2, fillColor: "#73A2C6",
      fillOpacity: zone.shape.type === "point" ? 0.9 : 0.35
    });
    marker.on("click", function (event) { popup(event.latlng, describeZone(zone)); });
    var text = element("span");
    text.appendChild(element("b", zone.name));
    text.appendChild(element("span", peopleWords(zone)));
    marker.bindTooltip(text, { permanent: true, direction: "right", className: "label", offset: [6, 0] });
    labels.push({ marker: marker, people: zone.people || 0 });
    // plan {
    placeMarkers.push({ zone: zone, marker: marker });
    // } plan
    return marker;
  })), '<circle cx="14" cy="9" r="6" fill="#73A2C6" stroke="#00429D" stroke-width="2"/>');

  if (data.lines.length) {
    add("Contact line", group(data.lines, still(svg.contact, { color: "#1b1b1b", weight: 2.6, dashArray: "9 4 2 4" })),
      '<path d="M1 9H27" stroke="#1b1b1b" stroke-width="2.6" stroke-dasharray="9 4 2 4"/>');
  }

  // --- minefield records: shape as recorded, and how far each point may be from where it is drawn ----------------

  function describeRecord(record) {
    var box = element("div", null, "card");
    box.appendChild(element("h3", "Record " + record.id));
    if (record.undrawn) {
      box.appendChild(element("p", "This field could NOT be drawn: it is a hazard whose place is not known, "
        + "measured from this reference point. " + record.undrawn, "assumed"));
    } else {
      box.appendChild(element("p", CLASS_WORDS[record.class] + ". Position error " + figure(record.error_m, 0) + " m (95 %)."));
    }
    var told = [];
    if (record.number) { told.push("number " + record.number); }
    if (record.sheet) { told.push("sheet " + record.sheet); }
    told.push("reliability " + figure(record.reliability, 2) + " of 1 by the planner");
    if (record.misclosure_m !== null && !record.blunder) { told.push("misclosure " + figure(record.misclosure_m, 0) + " m"); }
    box.appendChild(element("p", told.join(", ") + "."));
    if (record.blunder) {
      box.appendChild(element("p", "BLUNDER: misclosure " + figure(record.misclosure_m, 0) + " m, over its limit of "
        + figure(record.limit_m, 0) + " m. A bearing or a distance is wrong; rings and position error are widened by it.", "assumed"));
    }
    if (record.anchored) { box.appendChild(element("p", "Moved to a surveyed landmark; the version as recorded is kept.")); }
    if (!record.undrawn && !record.blunder) {
      box.appendChild(element("p", "Triangle: reference point. Rings: each holds the true point with 95 % probability.", "quiet"));
    }
    box.appendChild(element("p", "Quality sheet: records.html of the same run, record " + record.id + ".", "quiet"));
    box.appendChild(element("p", record.source, "quiet"));
    return box;
  }

  function triangle(filled) {
    var picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("width", "13");
    picture.setAttribute("height", "12");
    var path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", "M6.5 1L12 11H1z");
    path.setAttribute("fill", filled ? "#14532d" : "#ffffff");
    path.setAttribute("stroke", "#14532d");
    path.setAttribute("stroke-width", "1.6");
    picture.appendChild(path);
    return picture;
  }

  var recordOf = {};
  data.records.forEach(function (record) { recordOf[record.id] = record; });

  if (data.records.length) {
    var drawnRecords = L.layerGroup();
    data.records.forEach(function (record) {
      record.rings.forEach(function (ring) {
        if (ring[2] === null) { return; }
        drawnRecords.addLayer(L.circle([ring[1], ring[0]], still(svg.contact, {
          radius: ring[2], color: record.blunder && !ring[3] ? "#b2182b" : "#14532d", weight: 1.2, opacity: 0.9,
          dashArray: ring[3] ? null : "3 3", fill: false
        })));
      });
      record.legs.forEach(function (leg) {
        drawnRecords.addLayer(L.polyline([[leg[1], leg[0]], [leg[3], leg[2]]],
          still(svg.contact, { color: "#14532d", weight: 1.2, dashArray: "1 4" })));
      });
      if (record.shape) {
        drawnRecords.addLayer(draw(record.shape, still(svg.contact, { color: "#14532d", weight: 2, fill: false, radius: 3 })));
      }
      record.rings.forEach(function (ring) {
        if (!ring[3]) { return; }
        var marker = L.marker([ring[1], ring[0]], {
          icon: L.divIcon({ html: triangle(record.undrawn), className: "reference", iconSize: [13, 12], iconAnchor: [6.5, 7.5] }),
          title: "record " + record.id + (record.undrawn ? ", field not drawn" : "")
        });
        marker.bindTooltip(element("span", record.id + (record.undrawn ? ": field NOT drawn" : "")),
          { permanent: true, direction: "bottom", className: "label record", offset: [0, 4] });
        marker.on("click", function () { popup(marker.getLatLng(), describeRecord(record)); });
        drawnRecords.addLayer(marker);
      });
    });
    add("Minefield records, reference points and 95 % rings", drawnRecords,
      '<circle cx="14" cy="9" r="7.5" fill="none" stroke="#14532d" stroke-dasharray="3 3"/><path d="M14 4L18 12H10z" fill="#fff" stroke="#14532d" stroke-width="1.6"/>');
  }

  // Where labels would lie on one another, the place with more people keeps its label.
  labels.sort(function (a, b) { return b.people - a.people; });

  function placeLabels() {
    var taken = [];
    labels.forEach(function (label) {
      var tip = label.marker.getTooltip() && label.marker.getTooltip().getElement();
      if (!tip) { return; }
      tip.style.visibility = "visible";
      var own = tip.getBoundingClientRect();
      var free = taken.every(function (other) {
        return own.right < other.left || own.left > other.right || own.bottom < other.top || own.top > other.bottom;
      });
      tip.style.visibility = free ? "visible" : "hidden";
      if (free) { taken.push(own); }
    });
  }

  // --- controls ------------------------------------------------------------------------------------------------

  map.attributionControl.setPrefix("Leaflet").addAttribution("clearplan");
  L.control.scale({ imperial: false, maxWidth: 160 }).addTo(map);
  var switches = L.control.layers(null, {}, { collapsed: true }).addTo(map);
  layers.forEach(function (entry) { if (entry.layer) { switches.addOverlay(entry.layer, entry.name); } });

  var extent = L.latLngBounds([]);
  data.tasks.forEach(function (task) { extent.extend(layerOf[task.id].getBounds()); });
  data.zones.forEach(function (zone) { extent.extend(parts(zone.shape)[0][0]); });
  if (extent.isValid()) { map.fitBounds(extent, { padding: phone ? [4, 4] : [16, 16], maxZoom: 14, animate: false }); }
  map.on("zoomend moveend overlayadd", placeLabels);

  var wasNear = null;
  function restyle() {
    map.getContainer().classList.toggle("close-by", map.getZoom() >= CLOSE);
    var near = map.getZoom() >= NEAR;
    if (near === wasNear) { return; }
    wasNear = near;
    map.getContainer().classList.toggle("near", near);
    data.tasks.forEach(function (task) { layerOf[task.id].setStyle(taskStyle(task)); });
  }
  map.on("zoomend", restyle);
  restyle();

  // --- head, panel, foot -----------------------------------------------------------------------------------------

  document.getElementById("title").textContent = about.title;
  about.figures.forEach(function (pair) {
    var box = element("div");
    box.appendChild(element("dt", pair[0]));
    box.appendChild(element("dd", pair[1]));
    document.getElementById("figures").appendChild(box);
  });
  if (about.illustrative) {
    var banner = document.getElementById("illustrative");
    banner.textContent = about.illustrative;
    banner.hidden = false;
  }
  if (about.notes.length) {
    var notes = document.getElementById("notes");
    // The ledger's contradictions are many words: they open on demand, and their number stands there at once.
    var folded = about.notes.filter(function (note) { return note.indexOf("Land release:") === 0; });
    about.notes.forEach(function (note) {
      if (folded.indexOf(note) < 0) { notes.querySelector("ul").appendChild(element("li", note)); }
    });
    if (folded.length) {
      var details = element("details"), inside = element("ul");
      details.appendChild(element("summary", "Land release: " + folded.length + " kinds of contradictions between decisions and reports"));
      folded.forEach(function (note) { inside.appendChild(element("li", note.slice(14))); });
      details.appendChild(inside);
      var item = element("li");
      item.appendChild(details);
      notes.querySelector("ul").appendChild(item);
    }
    notes.hidden = false;
  }

  function goTo(task) {
    var bounds = layerOf[task.id].getBounds();
    map.fitBounds(bounds, { maxZoom: 13, animate: false });
    show(task, bounds.getCenter());
  }

  // One gate may close many tasks: they stand under their reason, and many are folded.
  function listGated() {
    var holder = document.getElementById("gated"), reasons = [];
    gatedTasks.forEach(function (task) {
      var reason = task.gates || "no reason given";
      if (reasons.indexOf(reason) < 0) { reasons.push(reason); }
    });
    holder.querySelector("summary").textContent = "Behind a gate: " + figure(gatedTasks.length, 0);
    holder.querySelector("p").textContent = "These hazards stay as they are; their tasks have no rank until the gate opens.";
    reasons.forEach(function (reason) {
      var own = gatedTasks.filter(function (task) { return (task.gates || "no reason given") === reason; });
      var item = element("li", reason + ":");
      item.appendChild(element("br"));
      own.forEach(function (task) {
        var button = element("button", task.id, "link");
        button.type = "button";
        button.addEventListener("click", function () { goTo(task); });
        item.appendChild(button);
      });
      holder.querySelector("ul").appendChild(item);
    });
    holder.open = gatedTasks.length <= FOLDED;
    holder.hidden = false;
  }
  if (gatedTasks.length) { listGated(); }

  function list(queue) {
    var tasks = tasksOf(queue);
    var holder = document.getElementById("list");
    holder.replaceChildren();
    tasks.slice(0, NUMBERED).forEach(function (task) {
      var button = element("button");
      button.type = "button";
      button.appendChild(element("span", task.rank, "number " + queue));
      var middle = element("span", task.zones.length ? listed(task.zones, 3) : task.district || "outside every district given");
      middle.appendChild(element("small", task.id + ", " + figure(task.ha, 1) + " ha"));
      button.appendChild(middle);
      button.appendChild(element("span", figure(task.score, 1)));
      button.addEventListener("click", function () { goTo(task); });
      var item = element("li");
      item.appendChild(button);
      holder.appendChild(item);
    });
    var waiting = gatedTasks.filter(function (task) { return task.queue === queue; }).length;
    document.getElementById("more").textContent = tasks.length
      ? "First " + Math.min(NUMBERED, tasks.length) + " of " + figure(tasks.length, 0)
        + " by score of 100; all are on the map and in tasks.csv. Click for the reasons."
      : waiting ? "No task of this queue has a rank: " + waiting + " behind a gate."
      : "No task waits in this queue.";
    document.querySelectorAll(".tabs button").forEach(function (tab) {
      tab.setAttribute("aria-pressed", String(tab.dataset.queue === queue));
    });
  }
  document.querySelectorAll(".tabs button").forEach(function (tab) {
    tab.addEventListener("click", function () { list(tab.dataset.queue); });
  });
  list("survey");

  // plan {
  var everyPlace = data.zones.concat(plan.unplaced);

  function placeStyle(zone) {
    var point = zone.shape.type === "point";
    if (stop < 0) { return { weight: 2, dashArray: null, fillColor: "#73A2C6", fillOpacity: point ? 0.9 : 0.35 }; }
    var open = isOpen(zone, stop);
    return { weight: open ? 2 : 2.4, dashArray: zone.plan.opens === null ? "3 3" : null,
      fillColor: open ? PLACE_LINE : "#FFFFFF", fillOpacity: open ? point ? 1 : 0.6 : point ? 0.85 : 0 };
  }

  function rounded(people) {
    var step = people >= 1000 ? 100 : people >= 100 ? 10 : 1;
    return figure(Math.round(people / step) * step, 0);
  }

  function homeWords(k) {
    var open = everyPlace.filter(function (zone) { return isOpen(zone, k); });
    var known = open.filter(function (zone) { return zone.people !== null; });
    var people = known.reduce(function (sum, zone) { return sum + zone.people; }, 0);
    var unknown = open.length - known.length;
    return (k === 0 ? "At the start, " : "By ") + dayWords(plan.stops[k][1]) + ": " + open.length + " of " + everyPlace.length
      + " places open, " + (open.length ? "" : "nobody home yet")
      + (known.length ? "about " + rounded(people) + " people home" : "") + (known.length && unknown ? ", " : "")
      + (unknown ? "people of " + unknown + (unknown === 1 ? " place" : " places") + " unknown" : "")
      + " (plan, not a promise)";
  }

  function legendOfStop() {
    function row(swatch) {
      var item = element("li", null, "stop");
      if (swatch) { item.innerHTML = '<svg width="28" height="18" aria-hidden="true">' + swatch + "</svg>"; }
      item.appendChild(element("span"));
      return item;
    }
    function outline(own, rest) {
      return '<rect x="2" y="3" width="24" height="12" fill="' + own.fill + '" stroke="' + own.line + '" ' + rest + "/>";
    }
    function place(rest) { return '<circle cx="14" cy="9" r="6" stroke="' + PLACE_LINE + '" stroke-width="2" ' + rest + "/>"; }
    return [
      row(null),
      row(outline(PLANNED, 'fill-opacity="0.4" stroke-width="2" stroke-dasharray="5 3"')),
      row(outline(UNDER_WAY, 'fill-opacity="0.9" stroke-width="2"')),
      row(outline({ line: "#444444", fill: "none" }, 'stroke-width="0.8"')),
      row(place('fill="' + PLACE_LINE + '"')), row(place('fill="#fff"')), row(place('fill="#fff" stroke-dasharray="3 3"'))
    ];
  }
  var stopRows = legendOfStop();
  stopRows.forEach(function (item) { document.querySelector("#legend ul").appendChild(item); });

  function toStop(k) {
    var slider = document.getElementById("plan-stop"), shown = k >= 0;
    stop = k;
    document.body.classList.toggle("plan-shown", shown);
    document.getElementById("plan-day").textContent = shown ? dayWords(plan.stops[k][1]) : "today (plan not shown)";
    document.getElementById("plan-words").textContent = shown ? homeWords(k) + "."
      : "Move the slider to see what is planned to be open by a day.";
    document.getElementById("plan-caution").textContent = shown
      ? "Nothing is released by a plan: ground stays hazard until its release is decided."
      : "The map shows the hazards as at " + about.as_at + ", without the plan.";
    slider.setAttribute("aria-valuetext", shown ? homeWords(k) + ", " + plan.stops[k][0] : "today, the plan is not shown");
    map.invalidateSize({ pan: false });
    data.tasks.forEach(function (task) { layerOf[task.id].setStyle(taskStyle(task)); });
    placeMarkers.forEach(function (own) { own.marker.setStyle(placeStyle(own.zone)); });
    if (!shown) { return; }
    var finished = data.tasks.filter(isFinished).length, under = data.tasks.filter(isUnderWay).length;
    var gated = gatedTasks.filter(function (task) { return !isFinished(task) && !isUnderWay(task); }).length;
    ["The plan " + (k === 0 ? "at its start" : "by " + dayWords(plan.stops[k][1])) + ". It releases nothing",
      "Planned to be released by then, hazard until decided (" + figure(finished, 0) + ")",
      "Planned to be under way then (" + figure(under, 0) + ")",
      "Not begun by then, or not in the plan (" + figure(data.tasks.length - finished - under - gated, 0) + ")",
      "Place planned to be open by then", "Place not open by then", "Place that never opens in the plan"
    ].forEach(function (words, n) { stopRows[n].lastChild.textContent = words; });
  }

  function goToPlace(own) {
    var where = own.marker.getBounds ? own.marker.getBounds().getCenter() : own.marker.getLatLng();
    map.setView(where, Math.max(map.getZoom(), 11), { animate: false });
    popup(where, describeZone(own.zone));
  }

  // Places by the day on which they open; those that never do stand apart, with the reason.
  function listOpenings() {
    var markers = data.zones.map(function (zone, k) { return placeMarkers[k]; });
    function fill(id, wanted, title, words) {
      var holder = document.getElementById(id), own = everyPlace.map(function (zone, k) { return { zone: zone, marker: markers[k] }; });
      own = own.filter(function (one) { return wanted(one.zone); });
      own.sort(function (a, b) { return a.zone.plan.opens - b.zone.plan.opens; });
      own.forEach(function (one) {
        var item = element("li");
        if (one.marker) {
          var button = element("button", one.zone.name, "link");
          button.type = "button";
          button.addEventListener("click", function () { goToPlace(one.marker); });
          item.appendChild(button);
        } else {
          item.appendChild(element("b", one.zone.name + " (not on the map) "));
        }
        item.appendChild(element("span", words(one.zone)));
        holder.querySelector("ul").appendChild(item);
      });
      holder.querySelector("summary").textContent = title + ": " + figure(own.length, 0);
      holder.open = own.length <= FOLDED;
      holder.hidden = !own.length;
      return own.length;
    }
    var opening = fill("opening", function (zone) { return zone.plan.opens !== null; }, "Planned to open", function (zone) {
      return (zone.plan.opens === 0 ? "from the start" : "by " + dayWords(plan.stops[zone.plan.opens][1]))
        + (zone.plan.probability === null ? "" : ", in " + share(zone.plan.probability) + " of the draws");
    });
    fill("never", function (zone) { return zone.plan.opens === null; }, "Never open in the plan", function (zone) {
      return zone.plan.why || "no reason given";
    });
    document.querySelector("#openings > p").textContent = opening + " of " + everyPlace.length
      + " places are planned to be open by " + stopWords(lastStop()) + ". A plan, not a promise.";
  }

  (function () {
    var slider = document.getElementById("plan-stop");
    slider.min = -1;
    slider.max = lastStop();
    slider.step = 1;
    slider.value = -1;
    document.getElementById("plan-to").textContent = plan.stops[lastStop()][0];
    slider.addEventListener("input", function () { toStop(Number(slider.value)); });
    listOpenings();
    // Cards of places are read beside the legend, not under it, where the map is wide enough for both.
    if (!phone && map.getSize().x > 800) { L.Popup.mergeOptions({ autoPanPaddingTopLeft: [312, 12] }); }
    toStop(-1);
  })();
  // } plan

  // Swatches are our own fixed drawings, never text from data.
  layers.slice().reverse().forEach(function (entry) {
    if (!entry.swatch) { return; }
    var item = element("li");
    item.innerHTML = '<svg width="28" height="18" aria-hidden="true">' + entry.swatch + "</svg>";
    // plan {
    if (entry.ranks || entry.name === "Places of return") { item.className = "ranks"; }
    // } plan
    item.appendChild(element("span", entry.name));
    document.querySelector("#legend ul").appendChild(item);
  });
  ["survey", "clearance"].forEach(function (queue) {
    var item = element("li");
    // plan {
    item.className = "ranks";
    // } plan
    item.appendChild(element("span", "1", "number " + queue));
    item.appendChild(element("span", "Rank in the " + queue + " queue; heavier lines come earlier"));
    document.querySelector("#legend ul").appendChild(item);
  });
  var legend = document.getElementById("legend");
  legend.open = !phone;
  var corner = L.control({ position: "bottomleft" });
  corner.onAdd = function () {
    L.DomEvent.disableClickPropagation(legend).disableScrollPropagation(legend);
    return legend;
  };
  corner.addTo(map);

  var foot = document.getElementById("foot");
  var first = element("p");
  if (about.illustrative) { first.appendChild(element("strong", about.illustrative + " ")); }
  first.appendChild(element("strong", about.not_for_entry + " "));
  first.appendChild(document.createTextNode(about.boundaries));
  foot.appendChild(first);
  if (about.line_note) { foot.appendChild(element("p", about.line_note + ".")); }
  foot.appendChild(element("p", "As at " + about.as_at + ". CRS: " + about.crs + ". Fingerprint " + about.fingerprint + "."));
  if (about.sources.length) { foot.appendChild(element("p", "Sources: " + about.sources.join("; "))); }

  map.invalidateSize();
  if (extent.isValid()) { map.fitBounds(extent, { padding: phone ? [4, 4] : [16, 16], maxZoom: 14, animate: false }); }
  placeLabels();
  document.documentElement.dataset.ready = "yes";
})();
