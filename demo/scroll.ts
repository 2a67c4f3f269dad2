const NEAR_PX = 48; // about two lines: close enough to mean "I am reading the end"

/** Keeps the end of the conversation in view for a reader who is there, and leaves everyone else alone. */
export interface Follower {
  /** Go to the end and follow it from now on. */
  toEnd(): void;
}

/** Follow the end of `content` inside `scroller`, once there is any; `jump` appears while the reader is elsewhere. */
export function followEnd(scroller: HTMLElement, content: HTMLElement, jump: HTMLElement): Follower {
  let following = false;
  let lastTop = 0;
  const distance = (): number => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  const showJump = (): void => {
    jump.hidden = following || content.childElementCount === 0 || distance() <= NEAR_PX;
  };
  const toEnd = (): void => {
    following = true;
    jump.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
    lastTop = scroller.scrollTop; // so that the event of this movement is not taken for the reader's
  };
  const leave = (): void => {
    if (scroller.scrollTop > 0) following = false;
  };
  // The intent comes before the movement, which a browser that scrolls smoothly would lose to the next line of the answer.
  scroller.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && leave(), { passive: true });
  scroller.addEventListener("keydown", ({ key }) => ["ArrowUp", "PageUp", "Home"].includes(key) && leave());
  scroller.addEventListener("scroll", () => {
    const top = scroller.scrollTop;
    // Shrinking content also moves the top up, but leaves the end in view.
    if (top < lastTop && distance() > 1) following = false;
    else if (top > lastTop && distance() <= NEAR_PX) following = content.childElementCount > 0;
    lastTop = top;
    showJump();
  });
  const observer = new ResizeObserver(() => {
    if (following) toEnd();
    showJump();
  });
  observer.observe(content);
  observer.observe(scroller);
  jump.addEventListener("click", toEnd);
  return { toEnd };
}
