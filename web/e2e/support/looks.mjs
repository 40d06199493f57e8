// How a page can be looked at: three widths, light and dark.

export const WIDTHS = {
  wide: { width: 1280, height: 800 },
  medium: { width: 800, height: 900 },
  narrow: { width: 360, height: 720 },
};
export const SCHEMES = ["light", "dark"];

/** Every look, by name. */
export const LOOKS = Object.keys(WIDTHS).flatMap((width) => SCHEMES.map((scheme) => ({ name: `${width}-${scheme}`, width, scheme })));

/** What a page in this state can be looked at in. */
export const looksOf = (state) => LOOKS.filter((look) => !state.widths || state.widths.includes(look.width));

/** Gives the page a look; on a narrow one opens the sheet that the state is about. */
export async function look(person, state, { width, scheme }) {
  const { page } = person;
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.setViewportSize(WIDTHS[width]);
  if (!state.sheet) return;
  const button = page.getByRole("button", { name: state.sheet });
  if (width === "narrow" && (await button.getAttribute("aria-expanded")) === "false") {
    await button.click();
    await state.focus?.(person);
  }
}
