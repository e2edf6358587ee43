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
  if (column.kinds) { return function () { return column.kinds[column.at[this.place]]; }; }
  var found = new Map(column.rows.map(function (place, k) { return [place, column.values[k]]; }));
  return function () { return found.get(this.place); };
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

var DIGITS = {};
"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_".split("").forEach(function (digit, k) {
  DIGITS[digit.charCodeAt(0)] = k;
});

// An outline's parts, each of rings of [lat, lon].
function unpacked(text) {
  var found = [[[]]], part = found[0], ring = part[0], x = 0, y = 0, value = 0, place = 0, odd = false;
  for (var k = 0; k < text.length; k += 1) {
    var code = text.charCodeAt(k);
    if (code === 46 || code === 58) { // "." begins a hole, ":" another part
      if (code === 58) { found.push(part = []); }
      part.push(ring = []);
      x = y = 0;
      continue;
    }
    var digit = DIGITS[code];
    value |= (digit & 31) << place;
    place += 5;
    if (digit > 31) { continue; }
    var step = value & 1 ? -(value >> 1) - 1 : value >> 1;
    if (odd) {
      y += step;
      ring.push([y / 1e5, x / 1e5]);
    } else {
      x += step;
    }
    odd = !odd;
    value = place = 0;
  }
  return found;
}
