/**
 * Lends this process the variables that lead to a stand-in, and gives back what was there. Some clouds' SDKs read the environment
 * of their process and can be told of another address in no other way. Nothing but a stand-in does this.
 */
export function lendEnvironment(variables: Readonly<Record<string, string | undefined>>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  for (const [name, value] of Object.entries(variables)) setVariable(name, value)
  return () => {
    for (const [name, value] of before) setVariable(name, value)
  }
}

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
