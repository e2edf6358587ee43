// --- the head line and the charts; every number is a table's ------------------------------------------------------

var books = data.figures;
var LANDS = ["CHA", "SHA", "indication"];
var LAND_SHORT = { CHA: term("Confirmed (CHA)"), SHA: term("Suspected (SHA)"), indication: term("Indication") };
// Label in the head line.
var LAND_TOLD = { CHA: term("Confirmed"), SHA: term("Suspected"), indication: term("Indication") };
var LAND_HEAD = { CHA: term("CHA"), SHA: term("SHA"), indication: term("Indication") };
var LAND_BAR = { CHA: "#B00000", SHA: "#B87400", indication: "#7A68B0" };
var BRIDGE_WORDS = {
  opening_m2: term("Opening"), newly_found_m2: term("Newly found"), reopened_m2: term("Re-opened"), changed_in_m2: term("Came from another class or kind"),
  changed_out_m2: term("Went to another class or kind"), cancelled_m2: term("Cancelled by non-technical survey"),
  reduced_m2: term("Reduced by technical survey"), cleared_m2: term("Cleared"), closed_m2: term("Closed by status alone"),
  withdrawn_m2: term("Withdrawn"), closing_m2: term("Closing")
};
function shortDay(iso) {
  return dayWords(iso, SHORT_MONTHS);
}

function netOf(land) {
  return books.area.reduce(function (sum, row) { return row[0] === land ? sum + row[2] : sum; }, 0);
}

// Which ground of a class the head counts: as reported, and how many hazards have no area; of indications for planning.
function groundTold(land) {
  if (land === "indication") { return say("for planning"); }
  var unknown = books.no_area[land];
  return unknown ? say("reported, {number} unknown", { number: figure(unknown, 0) }) : say("reported");
}

// Big and short for the head: three meaningful digits.
function headGround(m2) {
  if (m2 > 0 && m2 < 5000) { return say("below {figure} km²", { figure: figure(0.01, 2) }); }
  return say("{figure} km²", { figure: figure(m2 / 1e6, m2 >= 1e9 ? 0 : m2 >= 1e7 ? 1 : 2) });
}

// People already home and people who wait, apart; a star marks a number that is illustrative.
function headCount(own) {
  return own.places ? figure(own.known, 0) + (own.illustrative ? "*" : "") : say("unknown");
}

function headOfPeople(home, waiting) {
  var note = home.unknown || waiting.unknown
    ? say("unknown in {home} / {waiting}", { home: figure(home.unknown, 0), waiting: figure(waiting.unknown, 0) }) : say("people");
  headFigure(say("Home / waiting"), headCount(home) + " / " + headCount(waiting), note, books.home ? { href: "#chart-home" } : null);
}

// --- the head

function headFigure(label, value, note, press) {
  var box = element("div"), holder = element("dd"), inside;
  box.appendChild(element("dt", label));
  if (press) {
    inside = element(press.href ? "a" : "button", value);
    if (press.href) { inside.href = press.href; } else { inside.type = "button"; }
    if (press.href) {
      inside.addEventListener("click", function (event) {
        event.preventDefault();
        goToPart(press.href.slice(1));
      });
    }
    holder.appendChild(inside);
  } else {
    holder.appendChild(element("span", value));
  }
  if (note) { holder.appendChild(element("small", note)); }
  box.appendChild(holder);
  document.getElementById("figures").appendChild(box);
  return inside;
}

// A part of the panel is brought up and takes the focus, so that the keyboard goes on from there.
function goToPart(id) {
  var part = document.getElementById(id);
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
  part.scrollIntoView({ block: "start" });
}

function drawHead() {
  document.getElementById("figures").replaceChildren();
  LANDS.forEach(function (land) {
    var button = headFigure(say(LAND_TOLD[land]), headGround(netOf(land)), groundTold(land), {});
    toggles(button, "land", land);
  });
  headOfPeople(books.people.home, books.people.waiting);
  if (books.released_m2 !== undefined) {
    var since = books.bridge && books.bridge.days;
    headFigure(say("Released"), headGround(books.released_m2),
      since ? say("since {day}", { day: shortDay(since[0]) }) : say("by decisions, in all"), books.bridge ? { href: "#chart-bridge" } : null);
  }
  // plan {
  headOfPlan();
  // } plan
}

// plan {
function headOfPlan() {
  var next = books.opening, more = books.budgets && books.budgets.next;
  if (next) { headOfOpening(next); }
  if (more && more.months !== null) {
    headFigure(say("Per million {currency}", { currency: books.budgets.currency }),
      (more.months > 0 ? "+" : "") + figure(more.months, 0), say("person-months at home"), { href: "#chart-budgets" });
  } else if (more && more.close) {
    headFigure(say("Per million {currency}", { currency: books.budgets.currency }),
      "\u2013", say("too close to call"), { href: "#chart-budgets" });
  }
}

function headOfOpening(next) {
  var known = next.places - next.unknown;
  var people = (known ? say("{number} wait", { number: figure(next.people, 0) }) : "") + (known && next.unknown ? ", " : "")
    + (next.unknown ? say("unknown in {number}", { number: figure(next.unknown, 0) }) : "");
  headFigure(say("Opening next"), say("{count} place|{count} places", { count: next.places }), (people ? people + " " : "")
    + say("by {day}", { day: shortDay(next.by) }), { href: "#openings" });
}
// } plan

// --- tables with bars

function lens(id, title, note, head, columns) {
  var holder = element("figure", null, "lens"), table = element("table");
  holder.setAttribute("aria-labelledby", id);
  var name = element("h3", title);
  name.id = id;
  holder.appendChild(name);
  if (note) { holder.appendChild(element("p", note, "quiet")); }
  var row = table.createTHead().insertRow(), first = element("th", head);
  first.scope = "col";
  row.appendChild(first);
  columns.forEach(function (land) {
    var cell = element("th"), button = element("button", say(LAND_HEAD[land]));
    button.title = say(CLASS_WORDS[land]);
    cell.scope = "col";
    button.type = "button";
    toggles(button, "land", land);
    cell.appendChild(button);
    row.appendChild(cell);
  });
  table.setAttribute("aria-labelledby", id);
  holder.appendChild(table);
  document.getElementById("charts").appendChild(holder);
  return table;
}

function lensCell(row, words, mark, away) {
  var cell = row.insertCell();
  cell.appendChild(element("span", words));
  if (mark) { cell.appendChild(mark); }
  if (away) { cell.className = "away"; }
}

function placesOfArea() {
  var size = {};
  books.area.forEach(function (row) { size[row[1]] = (size[row[1]] || 0) + row[2]; });
  return Object.keys(size).sort(function (a, b) {
    return (a === books.outside) - (b === books.outside) || size[b] - size[a];
  });
}

function districtName(name) {
  return name === "all" ? say("all districts") : name === books.outside ? say("outside every district") : name;
}

function drawArea() {
  var lands = LANDS.filter(function (land) { return netOf(land) > 0; }), places = placesOfArea(), of = {}, most = {};
  if (!lands.length) { return; }
  books.area.forEach(function (row) {
    of[row[0] + "\n" + row[1]] = row[2];
    most[row[0]] = Math.max(most[row[0]] || 0, row[2]);
  });
  var note = say("Net of overlap, the strongest class first. Each column has a scale of its own. Press a district or a class to filter.");
  // plan {
  note += " " + say("A year doesn't change it.");
  // } plan
  var table = lens("chart-area", say("Hazard by district [km²]"),
    note, say("District"), lands);
  var body = table.createTBody();
  places.forEach(function (place) {
    var row = body.insertRow(), name = element("th"), kept = passes("district", place);
    name.scope = "row";
    if (data.figures.districts) {
      var button = element("button", districtName(place));
      button.type = "button";
      toggles(button, "district", place);
      name.appendChild(button);
    } else { name.textContent = districtName(place); }
    row.appendChild(name);
    lands.forEach(function (land) {
      var m2 = of[land + "\n" + place] || 0;
      lensCell(row, m2 ? ground(m2) : "–", bar(m2 / most[land], LAND_BAR[land]), !kept || !passes("land", land));
    });
  });
  var sum = table.createTFoot().insertRow(), words = element("th", isFiltered() ? say("Within the filter") : say("In all"));
  words.scope = "row";
  sum.appendChild(words);
  lands.forEach(function (land) {
    lensCell(sum, passes("land", land) ? ground(books.area.reduce(function (m2, row) {
      return row[0] === land && passes("district", row[1]) ? m2 + row[2] : m2;
    }, 0)) : "–", null, !passes("land", land));
  });
}

function drawBridge() {
  if (!books.bridge) { return; }
  var own = books.bridge, names = ["opening_m2"].concat(own.terms.map(function (term) { return term[0]; }), "closing_m2");
  var lands = LANDS.filter(function (land) { return own.rows.some(function (row) { return row[0] === land; }); });
  if (!lands.length) { return; }
  var sums = {}, most = {};
  lands.forEach(function (land) {
    sums[land] = names.map(function (name, k) {
      return own.rows.reduce(function (m2, row) {
        return row[0] === land && passes("district", row[1]) ? m2 + row[2 + k] : m2;
      }, 0);
    });
    most[land] = Math.max.apply(null, sums[land].slice(1, -1).concat(1e-9));
  });
  var table = lens("chart-bridge", own.days ? say("From {first} to {last} [km²]", { first: dayWords(own.days[0]), last: dayWords(own.days[1]) })
    : say("From opening to closing [km²]"),
    say("Bars to the right add ground, bars to the left take it away; each column has a scale of its own."), say("What moved"), lands);
  var body = table.createTBody();
  names.forEach(function (name, k) {
    var row = body.insertRow(), words = element("th", say(BRIDGE_WORDS[name])), ends = k === 0 || k === names.length - 1;
    var sign = ends ? 1 : own.terms[k - 1][1];
    if (ends) { row.className = "whole"; }
    words.scope = "row";
    row.appendChild(words);
    lands.forEach(function (land) {
      var m2 = sums[land][k];
      lensCell(row, (ends || !m2 ? "" : sign > 0 ? "+" : "\u2212") + (m2 ? ground(m2) : figure(0, 0)),
        ends ? null : bar(sign * m2 / most[land], sign > 0 ? "#7B1257" : "#00695C", true), !passes("land", land));
    });
  });
}

// plan {
// Strategies of the plan: books apart by dashes and width, and named at their ends.
var LINES = {
  "ranked list": { stroke: "#6b6b6b", "stroke-width": 2, "stroke-dasharray": "1.5 2.5" },
  "value per area": { stroke: "#8a6200", "stroke-width": 1.8, "stroke-dasharray": "8 3 2 3" },
  "greedy unlock": { stroke: "#b03a50", "stroke-width": 1.8, "stroke-dasharray": "6 3" },
  "best plan found": { stroke: "#00429d", "stroke-width": 3 }
};
var STRATEGIES = [term("ranked list"), term("value per area"), term("greedy unlock"), term("best plan found")];

function part(title, id, note) {
  var holder = element("figure"), name = element("h3", title);
  name.id = id;
  holder.setAttribute("aria-labelledby", id);
  holder.appendChild(name);
  if (note) { holder.appendChild(element("p", note, "quiet")); }
  document.getElementById("charts").appendChild(holder);
  return holder;
}

// A benefit of its own: people already home whose near ground the plan releases come home in no figure.
function nearWords(near) {
  return near === null ? "" : " " + say("Of {people} people already home near hazard, the plan means to release all near ground of {released}; they stand in no figure here.",
    { people: figure(near[0], 0), released: figure(near[1], 0) });
}

// What programmes aim at in all of the region: beside the figures of places, and in no sum.
function targetWords() {
  return books.targets.map(function (one) {
    return " " + say("Target of the region, in no sum: {people} by {day} ({programme}; {source}).",
      { people: figure(one.people, 0), day: dayWords(one.by), programme: one.programme, source: one.source });
  }).join("");
}

function drawHome() {
  if (!books.home) { return; }
  var own = books.home, days = own.days, last = days.length - 1, end = last * 1.03 || 1;
  var high = 196, left = 38, right = 196, top = 18, low = 172;
  var order = STRATEGIES, lines = own.lines.slice().sort(function (a, b) { return order.indexOf(a[0]) - order.indexOf(b[0]); });
  var most = lines.reduce(function (much, line) { return Math.max(much, Math.max.apply(null, line[1].concat(line[3]))); }, own.waiting || 1);
  function x(k) { return left + k / end * (right - left); }
  function y(people) { return low - people / most * (low - top); }
  function at(values, k) { return values[Math.min(k, values.length - 1)]; }
  var words = lines.map(function (line) {
    return say("{name}: {people} of those who wait are home on {day}.", { name: say(line[0]), people: figure(at(line[1], last), 0), day: dayWords(days[last]) });
  }).join(" ") + (own.waiting === null ? "" : " " + say("All people waiting: {people}.", { people: figure(own.waiting, 0) }));
  var holder = part(say("People who come home over time"), "chart-home",
    say("As planned, of the whole region; districts and classes don't filter it. Places whose number nobody knows count with the number assumed.") + nearWords(own.near) + targetWords());
  var svg = chart(high, say("People who come home over time"), words);
  yearBands(svg, days, x, top, low);
  steps(most, 4).forEach(function (value) {
    svg.put("path", { d: "M" + left + " " + y(value) + "H" + right, stroke: "#d8d8d8" });
    svg.write(left - 4, y(value) + 4, figure(value, 0), { "text-anchor": "end" });
  });
  if (own.waiting !== null) {
    svg.put("path", { d: "M" + left + " " + y(own.waiting) + "H" + right, stroke: "#1b1b1b", "stroke-dasharray": "7 4" });
    svg.write(left + 2, y(own.waiting) - 5, say("all who wait: {people}", { people: figure(own.waiting, 0) }));
  }
  lines.forEach(function (line) {
    if (line[0] !== "best plan found") { return; }
    svg.put("path", { d: stepped(line[3], x, y, end) + stepped(line[2], x, y, end, true) + "Z", fill: "#00429d", "fill-opacity": 0.15 });
  });
  lines.forEach(function (line) {
    svg.put("path", L.extend({ d: stepped(line[1], x, y, end), fill: "none" }, LINES[line[0]] || { stroke: "#1b1b1b", "stroke-width": 1.4 }));
  });
  var ends = lines.slice().sort(function (a, b) { return at(b[1], last) - at(a[1], last) || order.indexOf(b[0]) - order.indexOf(a[0]); });
  apart(ends.map(function (line) { return y(at(line[1], last)); }), 25, top + 2, low - 12).forEach(function (place, k) {
    var line = ends[k], best = line[0] === "best plan found" ? { "font-weight": 700 } : {};
    svg.put("path", L.extend({ d: "M" + right + " " + y(at(line[1], last)) + "L" + (right + 5) + " " + place + "H" + (right + 10), fill: "none" },
      LINES[line[0]] || { stroke: "#1b1b1b" }, { "stroke-dasharray": "none" }));
    svg.write(right + 13, place + 1, say(line[0]), best);
    svg.write(right + 13, place + 13, figure(at(line[1], last), 0), best);
  });
  svg.put("path", { d: "M" + left + " " + low + "H" + right, stroke: "#1b1b1b" });
  holder.appendChild(svg);
  holder.appendChild(numbers(say("People who have come home by the end of each period"), [say("Day")].concat(lines.map(function (line) { return say(line[0]); })),
    days.map(function (day, k) { return [dayWords(day)].concat(lines.map(function (line) { return figure(at(line[1], k), 0); })); })));
}

// A line that stays until the end of a period and then steps; backwards for the lower side of a band.
function stepped(values, x, y, end, back) {
  var points = [];
  values.forEach(function (value, k) { points.push([x(k), y(value)], [k === values.length - 1 ? x(end) : x(k + 1), y(value)]); });
  if (back) { points.reverse(); }
  return (back ? "L" : "M") + points.map(function (point) { return point[0].toFixed(1) + " " + point[1].toFixed(1); }).join("L");
}

function yearBands(svg, days, x, top, low) {
  var years = [];
  days.forEach(function (day, k) {
    if (!k) { return; }
    var year = day.slice(0, 4), own = years[years.length - 1];
    if (!own || own.year !== year) { years.push({ year: year, from: k - 1, to: k }); } else { own.to = k; }
  });
  var skip = Math.ceil(years.length / 6);
  years.forEach(function (own, n) {
    if (filters.year.indexOf(own.year) >= 0) {
      svg.put("rect", { x: x(own.from), y: top, width: x(own.to) - x(own.from), height: low - top, fill: "#00429d", "fill-opacity": 0.12 });
    }
    svg.put("path", { d: "M" + x(own.to) + " " + (low - 3) + "V" + (low + 5), stroke: "#1b1b1b" });
    if (n % skip === 0) { svg.write((x(own.from) + x(own.to)) / 2, low + 17, own.year, { "text-anchor": "middle" }); }
  });
}

function drawBudgets() {
  if (!books.budgets || !books.budgets.rows.length) { return; }
  var own = books.budgets, rows = own.rows, most = rows[rows.length - 1][0] || 1;
  var per = most >= 1e6 ? 1e6 : 1e3, unit = per === 1e6 ? say("million {currency}", { currency: own.currency }) : say("thousand {currency}", { currency: own.currency });
  function money(value) { return figure(value / per, Number.isInteger(value / per) ? 0 : 1); }
  function x(budget) { return 10 + budget / most * (CHART_WIDE - 34); }
  function bought(row) {
    if (row[4]) { return say("too close to call") + ": " + say("below the proven gap"); }
    return row[3] === null ? say("not known") : figure(row[3], 0);
  }
  var holder = part(say("What more money buys"), "chart-budgets",
    say("Each dot is a plan of its own for this budget, of the whole region; filters don't change it."));
  var svg = chart(262, say("What more money buys"), rows.map(function (row) {
    return say("With {money} {unit}: {people} of those who wait home, {months} person-months, {more} for each further million.", {
      money: money(row[0]), unit: unit, people: figure(row[1], 0), months: figure(row[2], 0), more: bought(row) });
  }).join(" "));
  var tops = [44, 158], lows = [104, 222], values = [1, 3].map(function (k) { return rows.map(function (row) { return row[k] || 0; }); });
  var high = values.map(function (some) { return Math.max.apply(null, some.concat(1e-9)); });
  var deep = Math.min.apply(null, values[1].concat(0));
  function y(n, value) { var least = n ? deep : 0; return lows[n] - (value - least) / (high[n] - least) * (lows[n] - tops[n]); }
  svg.write(0, 12, say("People who have come home at the plan's end"), { "font-weight": 700 });
  svg.write(0, 134, say("Person-months bought by each further million"), { "font-weight": 700 });
  if (own.own !== null && own.own <= most) {
    svg.put("path", { d: "M" + x(own.own) + " 24V" + lows[0] + "M" + x(own.own) + " 142V" + lows[1], stroke: "#1b1b1b", "stroke-dasharray": "5 3" });
  }
  svg.put("path", { d: "M10 " + lows[0] + "H" + CHART_WIDE + "M10 " + y(1, 0) + "H" + CHART_WIDE, stroke: "#6b6b6b" });
  svg.put("path", { d: "M" + rows.map(function (row) { return x(row[0]) + " " + y(0, row[1]); }).join("L"), fill: "none", stroke: "#5a84b8", "stroke-width": 1.6 });
  var taken = [-1e9, -1e9, -1e9];
  function label(n, middle, high, words) {
    var half = words.length * 3.3;
    middle = Math.max(half, Math.min(middle, CHART_WIDE - half));
    if (middle - half < taken[n] + 3) { return; }
    taken[n] = middle + half;
    svg.write(middle, high, words, { "text-anchor": "middle", "class": "halo" });
  }
  rows.forEach(function (row, k) {
    var from = k ? rows[k - 1][0] : 0, level = y(1, row[3] || 0), zero = y(1, 0);
    svg.put("circle", { cx: x(row[0]), cy: y(0, row[1]), r: 4, fill: "#00429d" });
    svg.put("rect", { x: x(from) + 1, y: Math.min(level, zero), width: Math.max(x(row[0]) - x(from) - 2, 1), height: Math.abs(level - zero), fill: "#5a84b8" });
    label(0, x(row[0]), y(0, row[1]) - 8, figure(row[1], 0));
    label(1, (x(from) + x(row[0])) / 2, Math.min(level, zero) - 5, row[4] ? say("too close to call") : bought(row));
    label(2, x(row[0]), 236, money(row[0]));
  });
  svg.write(CHART_WIDE, 254, own.own === null ? say("budget, {unit}", { unit: unit }) : say("budget, {unit}; dashed: the plan's own", { unit: unit }), { "text-anchor": "end" });
  holder.appendChild(svg);
  holder.appendChild(numbers(say("What the best plan found buys for each budget"),
    [say("Budget, {unit}", { unit: unit }), say("People who come home"), say("Person-months"), say("Person-months for each further million")],
    rows.map(function (row) { return [money(row[0]), figure(row[1], 0), figure(row[2], 0), bought(row)]; })));
}
// } plan

function drawCharts() {
  var holder = document.getElementById("charts");
  chart.count = 0;
  holder.replaceChildren(element("h2", say("Figures")));
  drawArea();
  drawBridge();
  // plan {
  drawHome();
  drawBudgets();
  // } plan
  holder.hidden = false;
}
