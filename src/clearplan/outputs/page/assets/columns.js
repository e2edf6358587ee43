// --- rows that travelled as columns, outlines that travelled as strings (see drawn.py) --------------------------------

// A row is a small object that looks its values up when asked: a hundred thousand of them cost nothing until then.
function rowsOf(columns, more) {
  function Row(place) { this.place = place; }
  Object.keys(columns).forEach(function (name) {
    if (name !== "count") { Object.defineProperty(Row.prototype, name, { get: reader(columns[name]) }); }
  });
  Object.keys(more || {}).forEach(function (name) { Object.defineProperty(Row.prototype, name, { get: more[name] }); });
  return Array.from({ length: columns.count }, function (nothing, place) { return new Row(place); });
}

function reader(column) {
  if (Array.isArray(column)) { return function () { return column[this.place]; }; }
  var found = null; // made when first asked for
  if (column.kinds) {
    return function () { return column.kinds[(found = found || numbersIn(column.at, 1))[this.place]]; };
  }
  if (column.rows) {
    return function () {
      found = found || new Map(column.rows.map(function (place, k) { return [place, column.values[k]]; }));
      return found.get(this.place);
    };
  }
  return function () {
    if (!found) { found = column.steps ? sums(numbersIn(column.digits, 1), column.unit) : numbersIn(column.digits, column.unit); }
    return column.width ? found.slice(column.width * this.place, column.width * (this.place + 1)) : found[this.place];
  };
}

function sums(steps, unit) {
  var last = 0, many = Math.round(1 / unit);
  return steps.map(function (step) { return step === null ? null : (last += step) / many; });
}

var DIGITS = {};
"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_".split("").forEach(function (digit, k) {
  DIGITS[digit.charCodeAt(0)] = k;
});

// Numbers that were written as digits; "~" is none.
function numbersIn(text, unit) {
  var found = [], value = 0, power = 1, many = Math.round(1 / unit);
  for (var k = 0; k < text.length; k += 1) {
    var code = text.charCodeAt(k);
    if (code === 126) { found.push(null); continue; }
    var digit = DIGITS[code];
    value += (digit & 31) * power; // a product, not a shift: numbers may pass 32 bits
    power *= 32;
    if (digit > 31) { continue; }
    found.push((value % 2 ? -(value + 1) / 2 : value / 2) / many);
    value = 0;
    power = 1;
  }
  return found;
}

data.areas = rowsOf(data.areas);
data.tasks = rowsOf(data.tasks, {
  // Raw figure, value, weight, points of each criterion; a queue that has no such criterion gives it no weight.
  figures: function () {
    var task = this;
    return data.criteria.map(function (criterion, k) {
      var weight = task.queue in criterion.weights ? criterion.weights[task.queue] : null, value = task.value[k];
      return [task.raw[k], value, weight, weight === null || value === null ? null : weight * value];
    });
  }
});

// An outline's parts, each of rings of [lat, lon].
function unpacked(text) {
  var coarse = text.charCodeAt(0) === 126, unit = coarse ? 1e-4 : 1e-5;
  return (coarse ? text.slice(1) : text).split(":").map(function (part) {
    return part.split(".").map(function (ring) {
      var steps = numbersIn(ring, 1), x = 0, y = 0, corners = [];
      for (var k = 0; k < steps.length; k += 2) {
        x += steps[k];
        y += steps[k + 1];
        corners.push([y * unit, x * unit]);
      }
      return corners;
    });
  });
}
