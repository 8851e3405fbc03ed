// SPDX-License-Identifier: BSD-3-Clause
// The crash report: what the log says before a fatal signal ends the process, and above all whose
// code it was: the module, its version, the function, the command and its key. Installed by main;
// the handler runs on whatever thread crashed.
#pragma once

namespace backplane {

class Engine;
class ModuleHost;

// What the report is made of; all outlive the process's last signal.
struct CrashSources {
  Engine* engine;
  ModuleHost* modules;
};

// From now on fatal signals are reported, if the option crash-log-enabled says so at that time, and
// then have their default effect. Without effect in builds with a sanitizer, which reports itself.
void InstallCrashReport(const CrashSources& sources);
// From now on they are not.
void RemoveCrashReport();

}  // namespace backplane
