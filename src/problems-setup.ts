/** Problems of setting forgehand up: its settings file, the keychain, the App; `problems.ts` has all the others. */
export const setupProblems = {
  "settings-file-open": {
    exit: "usage",
    what: "{path} holds secrets, and {who} may read it.",
    why: "The App's key lies there; whoever reads it can act as the App in every repository it is installed in.",
    do: "Run `chmod 600 {path}`, then the same command again. Was it open for long? Then make a new key on the App's page.",
  },
  "settings-file-unreadable": {
    exit: "permission",
    what: "The settings file {path} cannot be read: {why}.",
    why: "Without it forgehand might start with other settings than you chose.",
    do: "Give this user access to it, or move it away.",
  },
  "file-closed": {
    exit: "permission",
    what: "The file {path} cannot be looked at: {closed} is closed to this user.",
    why: "It may hold what the operator allows and forbids, so forgehand does not start without knowing.",
    do: "Give this user access (`ls -ld {closed}` shows who has it), or run this as the user who has it.",
  },
  "folder-gone": {
    exit: "notFound",
    what: "The folder that this command was started in is there no more.",
    why: "Which repository, settings and runs it is about depends on where one stands.",
    do: "Go to one that is there (`cd`) and type the same command again.",
  },
  "settings-file-wrong": {
    exit: "usage",
    what: "{path}:{line}: {why}.",
    why: "A line that is not understood would silently count as absent.",
    do: "Correct or remove line {line}. `forgehand help environment` lists every setting.",
  },
  "settings-file-unwritable": {
    exit: "permission",
    what: "Settings cannot be kept at {path}: {why}.",
    why: "`forgehand init` stores credentials before it goes on, and this folder or disk does not take them.",
    do: "Make the folder writable for this user, or set XDG_CONFIG_HOME to another one (for `forgehand up` too).",
  },
  "keychain-unusable": {
    exit: "usage",
    what: "The keychain of this system cannot be used: {why}.",
    why: "It needs the optional package @napi-rs/keyring and a keychain that is unlocked; services often have neither.",
    do: "Unlock it, or run `forgehand init` without --keychain: then secrets lie in the settings file, mode 0600.",
  },
  "keychain-empty": {
    exit: "usage",
    what: "{name} points to {entry} in the keychain, and nothing is kept there.",
    why: "The secret was removed, or this is another user or host.",
    do: "Store it again with `forgehand app import`.",
  },
  "github-app-other": {
    exit: "permission",
    what: "This key belongs to the App {other}, not to App {appId}.",
    why: "forgehand would speak as another App than you named.",
    do: "Compare the id with the App's settings page, or take the key of that App. Nothing was changed.",
  },
  "clock-wrong": {
    exit: "usage",
    what: "GitHub refuses the App's signature, and {what}.",
    why: "Each request is signed for a few minutes of GitHub's time.",
    do: "Set the clock, for example `timedatectl set-ntp true`, then run the same command again.",
  },
} as const;
