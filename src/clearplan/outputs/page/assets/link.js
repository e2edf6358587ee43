// --- links into the map: #T-<task>, #Z-<zone id or name>, #map=zoom/lat/lon ------------------------------------------

var taskOf = null; // made when first asked: a hundred thousand ids cost nothing until then
function taskNamed(id) {
  taskOf = taskOf || new Map(data.tasks.map(function (task) { return [task.id, task]; }));
  return taskOf.get(id);
}

// An id that begins with the mark itself is its own link, unless that would be another task's.
function taskHash(task) {
  var own = task.id.indexOf("T-") === 0 && !taskNamed(task.id.slice(2));
  return "#" + encodeURIComponent(own ? task.id : "T-" + task.id);
}
function zoneHash(zone) { return "#" + encodeURIComponent("Z-" + zone.id); }

// The language that the reader chose goes with the link.
function withLanguage(hash) { return language === "en" ? hash : hash + "&lang=" + language; }

function setHash(hash) {
  // Some browsers forbid it to pages opened from a file; then the address stays as it was.
  try { history.replaceState(null, "", withLanguage(hash)); } catch (error) { return; }
}

// The language stands before or behind what a link leads to.
function withoutLanguage(hash) { return hash.replace(/^#?lang=[a-z]+&?|&lang=[a-z]+(?=&|$)/, "").replace(/^#/, ""); }

// A link with a language tells the one that was chosen last.
function retellHash() {
  if (!askedLanguage()) { return; }
  var bare = withoutLanguage(location.hash), own = language === "en" ? bare : bare ? bare + "&lang=" + language : "lang=" + language;
  try { history.replaceState(null, "", location.href.replace(/#.*$/, "") + (own ? "#" + own : "")); } catch (error) { return; }
}

function copyButton(hash) {
  var box = element("div", null, "copy"), answer = element("span", null, "quiet");
  answer.setAttribute("role", "status");
  function byHand(url) {
    var field = element("input");
    field.readOnly = true;
    field.value = url;
    field.setAttribute("aria-label", say("Link"));
    box.querySelectorAll("input").forEach(function (old) { old.remove(); });
    box.appendChild(field);
    answer.textContent = say("Copy it from here:");
    field.focus();
    field.select();
  }
  box.append(pressable(element("button", say("Copy link"), "link"), function () {
    var url = location.href.replace(/#.*$/, "") + withLanguage(hash);
    if (!navigator.clipboard) { byHand(url); return; }
    navigator.clipboard.writeText(url).then(
      function () { answer.textContent = say("Copied."); }, function () { byHand(url); });
  }), answer);
  return box;
}

// A card that has a link of its own: the address leads to it while it is open.
function linked(card, hash) {
  card.appendChild(copyButton(hash));
  setHash(hash);
  return card;
}

function openView(text) {
  var found = text.split("/").map(Number);
  var fits = found.length === 3 && found.every(Number.isFinite) && Math.abs(found[1]) <= 85 && Math.abs(found[2]) <= 180;
  if (!fits) { warn(say("The link {link} names no view; write #map=zoom/latitude/longitude.", { link: "#map=" + text })); return; }
  map.setView([found[1], found[2]], Math.min(Math.max(found[0], 2), map.getMaxZoom()), { animate: false });
}

function openTask(name, whole) {
  var task = taskNamed(name) || taskNamed(whole);
  if (task) { goTo(task); return; }
  warn(say("This map has no task {id}.", { id: name }));
}

function openZone(name) {
  var zone = data.zones.find(function (one) { return one.id === name; });
  zone = zone || data.zones.find(function (one) { return one.name === name; });
  zone = zone || data.zones.find(function (one, k) { return data.search.zones[k].indexOf(name) >= 0; });
  if (zone) { goToZone(zone); return; }
  warn(say("This map has no place {id}.", { id: name }));
}

function openHash() {
  var whole = withoutLanguage(location.hash);
  // A stray % sign, of a link that was typed, is taken as written.
  try { whole = decodeURIComponent(whole.replace(/%(?![0-9a-f]{2})/gi, "%25")); } catch (error) { /* so is a broken letter */ }
  calm();
  if (whole.indexOf("map=") === 0) { openView(whole.slice(4)); }
  if (whole.indexOf("T-") === 0) { openTask(whole.slice(2), whole); }
  if (whole.indexOf("Z-") === 0) { openZone(whole.slice(2)); }
}
window.addEventListener("hashchange", openHash);
openHash();
