// --- charts: SVG from the numbers that travel with the page, and the same numbers as tables ----------------------

var CHART_WIDE = 308;

function drawing(tag, attributes, text) {
  var node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.keys(attributes || {}).forEach(function (name) { node.setAttribute(name, attributes[name]); });
  if (text !== undefined) { node.textContent = text; }
  return node;
}

// An empty chart that a screen reader hears as one picture with a title and a description.
function chart(high, title, words) {
  var svg = drawing("svg", { viewBox: "0 0 " + CHART_WIDE + " " + high, role: "img", "class": "chart" });
  var own = "chart-" + (chart.count = (chart.count || 0) + 1);
  svg.setAttribute("aria-labelledby", own + "-title");
  svg.setAttribute("aria-describedby", own + "-words");
  svg.appendChild(drawing("title", { id: own + "-title" }, title));
  svg.appendChild(drawing("desc", { id: own + "-words" }, words));
  svg.put = function (tag, attributes, text) {
    return svg.appendChild(drawing(tag, attributes, text));
  };
  svg.write = function (x, y, text, more) {
    return svg.put("text", L.extend({ x: x, y: y }, more), text);
  };
  return svg;
}

// At most so many round steps from 0 to a figure.
function steps(most, count) {
  var size = Math.pow(10, Math.floor(Math.log10(Math.max(most, 1e-9) / count)));
  var step = [1, 2, 5, 10].map(function (k) { return k * size; }).find(function (one) { return most / one <= count; });
  var found = [];
  for (var k = 0; k * step <= most * 1.000001; k += 1) { found.push(k * step); }
  return found;
}

// Rising positions moved apart so that none is nearer than gap to the one before, within low to high.
function apart(places, gap, low, high) {
  var found = places.slice();
  for (var k = 0; k < found.length; k += 1) { found[k] = Math.max(found[k], k ? found[k - 1] + gap : low); }
  for (var n = found.length - 1; n >= 0; n -= 1) {
    found[n] = Math.min(found[n], n === found.length - 1 ? high : found[n + 1] - gap);
  }
  return found;
}

// The numbers of a chart, for those who don't see it and for those who want to copy them.
function numbers(caption, heads, rows) {
  var holder = element("details", null, "numbers"), scroll = element("div", null, "scroll"), table = element("table");
  holder.appendChild(element("summary", say("Numbers of this chart")));
  table.appendChild(element("caption", caption));
  var head = table.createTHead().insertRow();
  heads.forEach(function (words) {
    var cell = element("th", words);
    cell.scope = "col";
    head.appendChild(cell);
  });
  var body = table.createTBody();
  rows.forEach(function (row) {
    var line = body.insertRow();
    row.forEach(function (words, k) {
      var cell = element(k ? "td" : "th", words);
      if (!k) { cell.scope = "row"; }
      line.appendChild(cell);
    });
  });
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", caption);
  scroll.appendChild(table);
  holder.appendChild(scroll);
  return holder;
}

// Ground as km2 with two digits; a little is never told as none.
function ground(m2) {
  if (m2 > 0 && m2 < 5000) { return "<" + figure(0.01, 2); }
  return figure(m2 / 1e6, 2);
}

// A bar beside its number: part of the widest one, to the left where it takes away.
function bar(part, colour, signed) {
  var svg = drawing("svg", { viewBox: "0 0 60 8", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false", "class": "bar" });
  var zero = signed ? 30 : 0, whole = signed ? 30 : 60, wide = Math.abs(part) * whole;
  if (part) {
    svg.appendChild(drawing("rect", { x: part < 0 ? zero - wide : zero, y: 0, width: Math.max(wide, 0.6), height: 8, fill: colour }));
  }
  if (signed) { svg.appendChild(drawing("path", { d: "M30 0V8", stroke: "#1b1b1b", "stroke-width": 0.8 })); }
  return svg;
}
