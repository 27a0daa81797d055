// Whether something is being pressed: a browser drops the click on what is drawn anew between press and release.

let released = Promise.resolve();

function pressed() {
  const over = new AbortController();
  released = new Promise((resolve) => {
    const end = () => {
      over.abort();
      // The click follows the release within the same task.
      setTimeout(resolve, 0);
    };
    for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, end, { signal: over.signal });
  });
}

addEventListener("pointerdown", pressed, { capture: true });

/** Resolve when nothing is pressed. */
export const letGo = () => released;
