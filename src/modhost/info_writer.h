// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleInfoCtx: the text that a module's INFO callback makes. Engine thread.
//
//   section = "# " module [ "_" name ] CRLF { field }
//   field   = module "_" name ":" ( value | key "=" value { "," key "=" value } ) CRLF
#pragma once

#include <string>
#include <string_view>

#include "modhost/module.h"

struct RedisModuleInfoCtx {
  const backplane::Module* module = nullptr;
  std::string_view wanted;  // section or module; empty: all
  std::string out;
  bool in_section = false;
  bool in_dict = false;
  bool dict_has_pairs = false;
  bool found = false;  // a section of the wanted name was opened
};
