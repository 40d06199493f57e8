// A bound for what may never end.

/** What `act` answers; fails when that takes longer. What was begun goes on: whoever began it ends it. */
export async function within(limitMs, what, act) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs / 1000} s: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}
