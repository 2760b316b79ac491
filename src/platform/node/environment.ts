/** The variables of the process's environment, for who reads settings from there. Does not own: what they mean. */
export function environmentVariables(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
