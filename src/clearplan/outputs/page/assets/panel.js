// --- head, panel, foot -----------------------------------------------------------------------------------------

onWords(function () { write(document.getElementById("title"), say(about.title)); });
[["tier", about.tier], ["illustrative", about.illustrative]].forEach(function (own) {
  var banner = document.getElementById(own[0]);
  if (!own[1]) { return; }
  onWords(function () { write(banner, say(own[1])); });
  banner.hidden = false;
});
if (about.notes.length) {
  var notes = document.getElementById("notes");
  // The ledger's contradictions are many words: they open on demand, and their number stands there at once.
  var folded = about.notes.filter(function (note) { return note.indexOf("Land release:") === 0; });
  about.notes.forEach(function (note) {
    if (folded.indexOf(note) < 0) { notes.querySelector("ul").appendChild(spoken("li", note)); }
  });
  if (folded.length) {
    var details = element("details"), inside = element("ul");
    var kinds = element("summary");
    onWords(function () {
      write(kinds, say("Land release: {count} kind of contradictions between decisions and reports"
        + "|Land release: {count} kinds of contradictions between decisions and reports", { count: folded.length }));
    });
    details.appendChild(kinds);
    folded.forEach(function (note) { inside.appendChild(spoken("li", note.slice(14))); });
    details.appendChild(inside);
    var item = element("li");
    item.appendChild(details);
    notes.querySelector("ul").appendChild(item);
  }
  notes.hidden = false;
}

function goTo(task) {
  var bounds = boundsOf(task);
  map.fitBounds(bounds, { maxZoom: 13, animate: false });
  show(task, bounds.getCenter());
}

var GATED_SHOWN = 200; // buttons under one reason

// One gate may close many tasks: they stand under their reason, and many are folded.
function listGated() {
  var holder = document.getElementById("gated"), reasons = [];
  gatedTasks.forEach(function (task) {
    var reason = task.gates || "";
    if (reasons.indexOf(reason) < 0) { reasons.push(reason); }
  });
  write(holder.querySelector("summary"), say("Behind a gate: {number}", { number: figure(gatedTasks.length, 0) }));
  write(holder.querySelector("p"), say("These hazards stay as they are; their tasks have no rank until the gate opens."));
  holder.querySelector("ul").replaceChildren();
  reasons.forEach(function (reason) {
    var own = gatedTasks.filter(function (task) { return (task.gates || "") === reason; });
    var item = tell("li", "{reason}:", { reason: reason ? said(reason) : say("no reason given") });
    item.appendChild(element("br"));
    own.slice(0, GATED_SHOWN).forEach(function (task) {
      var button = element("button", task.id, "link");
      button.type = "button";
      button.addEventListener("click", function () { goTo(task); });
      item.appendChild(button);
      followers.push({ node: button, kept: function () { return isKept(task); } });
    });
    followers.push({ node: item, kept: function () { return own.some(isKept); } });
    if (own.length > GATED_SHOWN) { item.appendChild(element("span", say("and {n} more, in tasks.csv", { n: figure(own.length - GATED_SHOWN, 0) }))); }
    holder.querySelector("ul").appendChild(item);
  });
  if (holder.hidden) { holder.open = gatedTasks.length <= FOLDED; }
  holder.hidden = false;
}
if (gatedTasks.length) { onWords(listGated); }

var shownQueue = "survey", shownRows = NUMBERED;
var MORE_ROWS = 20;

function list(queue) {
  if (queue !== shownQueue) { shownRows = NUMBERED; }
  shownQueue = queue;
  var tasks = tasksOf(queue).filter(isKept), further = document.getElementById("further");
  var holder = document.getElementById("list");
  holder.replaceChildren();
  tasks.slice(0, shownRows).forEach(function (task) {
    var button = element("button");
    button.type = "button";
    button.appendChild(element("span", task.rank, "number " + queue));
    var middle = element("span", task.zones.length ? listed(task.zones, 3) : task.district || say("outside every district given"));
    middle.appendChild(element("small", say("{task}, {area} ha", { task: task.id, area: figure(task.ha, 1) })));
    button.appendChild(middle);
    button.appendChild(element("span", figure(task.score, 1)));
    button.addEventListener("click", function () { goTo(task); });
    var item = element("li");
    item.appendChild(button);
    holder.appendChild(item);
  });
  var waiting = gatedTasks.filter(function (task) { return task.queue === queue; }).length;
  write(document.getElementById("more"), tasks.length
    ? say("First {shown} of {all} by score of 100; all are on the map and in tasks.csv. Click for the reasons.",
      { shown: Math.min(shownRows, tasks.length), all: figure(tasks.length, 0) })
    : waiting ? say("No task of this queue has a rank: {number} behind a gate.", { number: waiting })
    : tasksOf(queue).length ? say("No task of this queue is within the filter.")
    : say("No task waits in this queue."));
  further.hidden = tasks.length <= shownRows;
  write(further, say("Show {count} more", { count: Math.min(MORE_ROWS, tasks.length - shownRows) }));
  document.querySelectorAll(".tabs button").forEach(function (tab) {
    tab.setAttribute("aria-pressed", String(tab.dataset.queue === queue));
  });
}
document.querySelectorAll(".tabs button").forEach(function (tab) {
  tab.addEventListener("click", function () { list(tab.dataset.queue); });
});
document.getElementById("further").addEventListener("click", function () {
  shownRows += MORE_ROWS;
  list(shownQueue);
});
onWords(function () { list(shownQueue); });

// How shapes are drawn, and that nothing is left out.
function tellDrawn() {
  var drawn = data.drawn, values = {
    tasks: figure(drawn.tasks, 0), areas: figure(drawn.areas, 0), outlinedTasks: figure(drawn.outlined_tasks, 0),
    outlinedAreas: figure(drawn.outlined_areas, 0), m: figure(drawn.furthest_m, 0),
    cell: pictured ? figure(pictured.cell_m, 0) : ""
  };
  var told = [
    say("Cells of the picture are about {cell} m wide. One is coloured where any hazard touches it, and the strongest class counts.", values),
    say("Outlined are the first tasks of each queue, with their hazards. No outline lies more than {m} m outside the one in the data.", values),
    say("A click on the picture can't tell more than its cell: it lists all tasks that touch the cell, or come near. One that is chosen there is outlined roughly, never less than it is."),
    say("All counts and figures on this page are of all tasks and areas.")
  ];
  // plan {
  var planned = data.tasks.filter(function (task) { return Boolean(task.plan); });
  told.push(say("Of {n} tasks in the plan, the slider colours the {k} that are outlined.", {
    n: figure(planned.length, 0), k: figure(planned.filter(isOutlined).length, 0)
  }));
  // } plan
  var holder = document.getElementById("drawn"), title = holder.querySelector("summary");
  write(title, say("Drawn as a picture: all {areas} hazard areas with their {tasks} tasks. As outlines, too: {outlinedAreas} hazard areas, {outlinedTasks} tasks.", values));
  holder.replaceChildren(title);
  told.forEach(function (words) { holder.appendChild(element("p", words)); });
  holder.hidden = false;
}
if (pictured) { onWords(tellDrawn); }
