// SPDX-License-Identifier: BSD-3-Clause
// What started this process and waits to be told that it serves: systemd (the protocol of
// sd_notify(3): datagrams to the socket that the environment names) or upstart (which waits for the
// process to stop itself once). Used at start and shutdown. One thread at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace backplane {

enum class Supervisor : uint8_t { kNone, kSystemd, kUpstart };

// As the environment says.
Supervisor DetectSupervisor();

// INFO's word for it: "no", "systemd", "upstart".
std::string_view SupervisorName(Supervisor supervisor);

// Sends systemd a state: "READY=1", "STOPPING=1". kNotFound: there is no NOTIFY_SOCKET; kIo: it
// does not take it.
Status NotifySystemd(std::string_view state);

// Tells upstart that the process is up: it goes on when upstart says so. kNotFound: there is no
// UPSTART_JOB.
Status NotifyUpstart();

}  // namespace backplane
