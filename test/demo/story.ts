/** Prints the demo so that it reads as an account. */
export interface Story {
  step(title: string): void
  say(line: string): void
  /** Shows a text as it is, set off from what is said. */
  show(text: string): void
  close(line: string): void
}

export function createStory(write: (text: string) => void = (text) => process.stdout.write(text)): Story {
  let steps = 0
  return {
    step: (title) => write(`\n${++steps}. ${title}\n`),
    say: (line) => write(`   ${line}\n`),
    show: (text) => write(`${text.trimEnd().replaceAll(/^/gm, '   | ')}\n`),
    close: (line) => write(`\n${line}\n`),
  }
}
