// SPDX-License-Identifier: BSD-3-Clause
// CurrentHost: the one way from an API function that takes no context to the host. Everything else
// is passed its services. Set while a ModuleHost lives; any thread reads it.
#pragma once

namespace backplane {

class ModuleHost;

ModuleHost* CurrentHost();
// The host's constructor and destructor call it; one host at a time.
void SetCurrentHost(ModuleHost* host);

}  // namespace backplane
