// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleServerInfoData: INFO as fields. Owned by whoever asked.
#pragma once

#include <map>
#include <string>

struct RedisModuleServerInfoData {
  std::map<std::string, std::string, std::less<>> fields;
};
