const NEAR_PX = 48; // about two lines: close enough to mean "I am reading the end"

/** Keeps the end of the conversation in view for a reader who is there, and leaves everyone else alone. */
export interface Follower {
  /** Go to the end and follow it from now on. */
  toEnd(): void;
}

/** Follow the end of `content` inside `scroller`, once there is any; `jump` appears while the reader is elsewhere. */
export function followEnd(scroller: HTMLElement, content: HTMLElement, jump: HTMLElement): Follower {
  let following = false;
  const distance = (): number => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  const showJump = (): void => {
    jump.hidden = following || content.childElementCount === 0 || distance() <= NEAR_PX;
  };
  const toEnd = (): void => {
    following = true;
    jump.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  let lastTop = 0;
  scroller.addEventListener("scroll", () => {
    // Only the reader moves up, save when content shrinks, which leaves the end in view.
    const movedUp = scroller.scrollTop < lastTop && distance() > 1;
    if (movedUp) following = false;
    else if (distance() <= NEAR_PX) following = content.childElementCount > 0;
    lastTop = scroller.scrollTop;
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
