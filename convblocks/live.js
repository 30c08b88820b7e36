// How a live figure talks with Python. live.py puts this before the module of each figure.

const PATIENCE = 4000; // milliseconds without an answer until the figure says so

// ask: sends a question, and returns its number, which comes back as `told.number`. status: a line for the figure to show,
// empty while answers come; a kernel that was restarted leaves the figure on the page, and its buttons would do nothing.
function talk(model, show) {
  const status = document.createElement("div");
  status.setAttribute("role", "status");
  let timer = null;
  let number = null;

  function wait() {
    timer ??= setTimeout(() => {
      status.textContent = "No kernel answers. Unless it is still busy with something else, run this cell again.";
    }, PATIENCE);
  }

  function hear() {
    clearTimeout(timer);
    timer = null;
    status.textContent = "";
    if (number !== null && model.get("told").number < number) wait();
    show();
  }

  function ask(question) {
    // Not counted here: the same figure may be shown twice, and a question that equals the last one is not sent at all.
    number = (model.get("asked").number || 0) + 1;
    wait();
    model.set("asked", { ...question, number });
    model.save_changes();
    return number;
  }

  function leave() {
    clearTimeout(timer);
    model.off("change:told", hear);
  }

  model.on("change:told", hear);
  return { ask, status, leave };
}

