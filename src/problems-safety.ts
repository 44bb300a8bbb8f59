/** Problems of backups, upgrades, updates and halts. */
export const safetyProblems = {
  "backup-there": {
    exit: "usage",
    what: "{path} is there already.",
    why: "A backup takes the place of no file.",
    do: "Name another file, or a folder: then the backup is named by version and time.",
  },
  "backup-broken": {
    exit: "failed",
    what: "{path} is no whole backup: {why}.",
    why: "Every part of it is held against its manifest before anything is touched, and nothing was.",
    do: "Take another backup; if this one was copied, copy it again and compare their sha256.",
  },
  "backup-newer": {
    exit: "usage",
    what: "{path} was written by forgehand {version}, and its database is newer than what this forgehand knows.",
    why: "Rows of a newer version may mean something else.",
    do: "Install forgehand {version} or newer, and restore with that.",
  },
  "database-newer": {
    exit: "usage",
    what: "{path} was written by a newer forgehand: {why}.",
    why: "Its rows may mean something else, so nothing was read or changed.",
    do: "Start that newer forgehand, or put the copy from before its upgrade in place (`backups` in the data folder; `forgehand restore` for a backup).",
  },
  "database-unlike": {
    exit: "usage",
    what: "{path} says that it is up to date, and lacks what this forgehand keeps there: {what}.",
    why: "It was made by a build from before a release, whose tables were still being changed. No migration leads from there to here, and nothing was changed.",
    do: "Start the build that made it, or move the file aside: forgehand then makes a new one, and finds tickets that are open by their labels.",
  },
  "upgrade-failed": {
    exit: "failed",
    what: "The database {path} could not be brought up to date: {why}.",
    why: "All of its migrations are made at once or none; none was, and the database is as it was. A copy from before is {backup}.",
    do: "Start the forgehand that was here before, or free space where that is what lacks, and start again.",
  },
  "update-refused": {
    exit: "usage",
    what: "forgehand does not update itself to {version}: {why}.",
    why: "An update replaces the program that holds the App's key, so every condition of it is checked first.",
    do: "{fix}",
  },
  "halt-not-ours": {
    exit: "usage",
    what: "{ticket} has no halt of an operator's to lift: {why}.",
    why: "Halts of people and of operators stand apart: each is lifted by who raised it.",
    do: "{fix}",
  },
} as const;
