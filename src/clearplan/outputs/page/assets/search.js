// --- search: places, zones, districts and tasks by any of their names (combobox with a list: ARIA APG 1.2) ----------

// Spellings of one name meet in one key, whatever the script and the marks; the rules are those of placenames.py.
var letterRules = data.search.fold;
function fold(text) {
  var key = text.normalize("NFC").toLowerCase();
  letterRules.digraphs.forEach(function (pair) { key = key.split(pair[0]).join(pair[1]); });
  key = Array.from(key, function (letter) { return letter in letterRules.letters ? letterRules.letters[letter] : letter; }).join("");
  key = Array.from(key.normalize("NFKD").replace(/\p{M}/gu, ""))
    .filter(function (letter) { return letterRules.apostrophes.indexOf(letter) < 0; }).join("");
  letterRules.sounds.forEach(function (pair) { key = key.split(pair[0]).join(pair[1]); });
  return (key.match(/[\p{L}\p{N}]+/gu) || []).join(" ").replace(/(\p{L})\1+/gu, "$1");
}

function centreOf(shape) { return L.latLngBounds(parts(shape).flat(2)).getCenter(); }

function goToZone(zone) {
  var where = centreOf(zone.shape);
  map.setView(where, Math.max(map.getZoom(), 12), { animate: false });
  popup(where, function () { return describeZone(zone); });
}

// Made when the box is entered, not while the page opens.
var findable = null;
function everythingNamed() {
  var found = [];
  function entry(kind, names, go, inside) {
    found.push({ kind: kind, names: names, keys: names.map(fold), go: go, inside: inside });
  }
  data.zones.forEach(function (zone, k) {
    var others = data.search.zones[k].filter(function (name) { return name !== zone.name; });
    entry(say("place of return"), [zone.name].concat(others), function () { goToZone(zone); });
  });
  data.search.places.forEach(function (row) {
    var home = data.search.districts[row[2]];
    entry(say("settlement"), row.slice(3), function (name) {
      map.setView([row[0], row[1]], Math.max(map.getZoom(), 12), { animate: false });
      mark([row[0], row[1]], allNames(name, row.slice(3)));
    }, home && home[1]);
  });
  data.search.districts.forEach(function (row) {
    var box = L.latLngBounds([row[0].slice(0, 2), row[0].slice(2)]);
    if (row.length > 1) { entry(say("district"), row.slice(1), function () { map.fitBounds(box, { animate: false }); }); }
  });
  return found;
}

// 0 the name itself, 1 its beginning, 2 the beginning of a later word, 3 anywhere; null not at all.
function likeness(key, wanted) {
  var at = key.indexOf(wanted);
  if (at < 0) { return null; }
  if (at === 0) { return key === wanted ? 0 : 1; }
  return key.indexOf(" " + wanted) >= 0 ? 2 : 3;
}

// Letters to change, add or leave out (Levenshtein 1966); more than `most` is told as most + 1.
function slips(one, other, most) {
  if (Math.abs(one.length - other.length) > most) { return most + 1; }
  var above = Array.from({ length: other.length + 1 }, function (_, k) { return k; });
  for (var i = 1; i <= one.length; i += 1) {
    var row = [i];
    for (var j = 1; j <= other.length; j += 1) {
      row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1)));
    }
    above = row;
  }
  return Math.min(above[other.length], most + 1);
}

function tasksNamed(text) {
  var own = text.toLowerCase(), found = [];
  for (var k = 0; k < data.tasks.length && found.length < 5; k += 1) {
    if (data.tasks[k].id.toLowerCase().indexOf(own) >= 0) { found.push(data.tasks[k]); }
  }
  return found.map(function (task) {
    return { kind: say("task"), names: [task.id], name: task.id, level: task.id.toLowerCase() === own ? -1 : 3, size: task.id.length,
      go: function () { goTo(task); }, inside: task.district };
  });
}

function namesLike(text) {
  var wanted = fold(text), found = [], plain = text.trim().toLowerCase();
  findable = findable || everythingNamed();
  function collect(measure) {
    findable.forEach(function (entry) {
      var best = null, which = 0, leads = false;
      entry.keys.forEach(function (key, k) {
        var level = measure(key);
        // Of spellings that sound alike, the reader's own stands first.
        var own = entry.names[k].toLowerCase().indexOf(plain) === 0;
        if (level !== null && (best === null || level < best || (level === best && own && !leads))) {
          best = level;
          which = k;
          leads = own;
        }
      });
      if (best !== null) {
        found.push({ kind: entry.kind, names: entry.names, name: entry.names[which], level: best, size: entry.keys[which].length,
          go: entry.go, inside: entry.inside });
      }
    });
  }
  if (wanted) { collect(function (key) { return likeness(key, wanted); }); }
  found = found.concat(tasksNamed(text.trim()));
  if (!found.length && wanted.length > 3) {
    var most = wanted.length > 7 ? 2 : 1;
    collect(function (key) { var off = slips(key, wanted, most); return off > most ? null : 3 + off; });
  }
  found.sort(function (a, b) { return a.level - b.level || a.size - b.size; });
  return found.slice(0, 8);
}

(function () {
  var box = element("div", null, "search"), label = spoken("label", term("Search a place or a task"), "unseen");
  var input = element("input"), list = element("ul"), results = [], active = -1;
  input.id = "search";
  input.type = "text";
  input.autocomplete = "off";
  input.spellcheck = false;
  label.htmlFor = "search";
  list.id = "search-list";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  onWords(function () {
    findable = null;
    input.placeholder = say("Search a place or a task");
    list.setAttribute("aria-label", say("Found"));
  });
  [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "search-list"], ["aria-expanded", "false"]]
    .forEach(function (pair) { input.setAttribute(pair[0], pair[1]); });
  box.append(label, input, list);
  toolsInside.appendChild(box);

  function activate(k) {
    active = k;
    Array.from(list.children).forEach(function (item, n) { item.setAttribute("aria-selected", String(n === k)); });
    if (k < 0) { input.removeAttribute("aria-activedescendant"); return; }
    input.setAttribute("aria-activedescendant", list.children[k].id);
    list.children[k].scrollIntoView({ block: "nearest" });
  }
  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(-1);
  }
  function choose(result) {
    close();
    input.value = result.name;
    mark(null);
    openTools(false);
    result.go(result.name);
    announce(say("The map is at {place}, {kind}.", { place: allNames(result.name, result.names), kind: result.kind }));
  }
  function option(result, k) {
    var item = element("li"), words = element("span", allNames(result.name, result.names));
    item.id = "search-" + k;
    item.setAttribute("role", "option");
    words.dir = "auto";
    item.append(words, element("small", result.inside ? say("{kind} in {district}", { kind: result.kind, district: result.inside }) : result.kind));
    item.addEventListener("mousedown", function (event) { event.preventDefault(); });
    item.addEventListener("click", function () { choose(result); });
    return item;
  }
  function look() {
    results = input.value.trim() ? namesLike(input.value) : [];
    list.replaceChildren.apply(list, results.map(option));
    list.hidden = !results.length;
    input.setAttribute("aria-expanded", String(results.length > 0));
    activate(-1);
    if (!input.value.trim()) { mark(null); calm(); return; }
    if (!results.length) { warn(say("Nothing on this map is called {name}.", { name: input.value.trim() })); return; }
    calm();
    announce(say("{count} found|{count} found", { count: results.length }));
  }
  input.addEventListener("focus", function () { setTimeout(function () { findable = findable || everythingNamed(); }, 0); });
  input.addEventListener("input", look);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", function (event) {
    if (event.isComposing) { return; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) { look(); }
      if (!results.length) { return; }
      var step = event.key === "ArrowDown" ? 1 : -1, size = results.length + 1;
      activate((active + 1 + step + size) % size - 1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (list.hidden) { look(); }
      if (results.length) { choose(results[Math.max(active, 0)]); }
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation(); // the card stays open
      if (!list.hidden) { close(); return; }
      input.value = "";
      look();
    }
  });
})();
