// What the address names behind its # is still there after the sign-in: a redirect takes along that of the form.

const form = document.querySelector("form");
form.addEventListener("submit", () => { form.action = `/login${location.hash}`; });
