// SPDX-License-Identifier: BSD-3-Clause
// SnapshotExtras: what an RDB holds besides keys and nobody here can use yet. It is kept as bytes
// and written back, so that loading and saving a file loses nothing. Owned by Persistence. Engine
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace backplane {

struct SnapshotExtras {
  // A library of functions: the field's opcode (rdb_format.h) and its bytes after it.
  struct Function {
    uint8_t opcode;
    std::string body;
  };
  // A module's AUX field; only used where there are no ModuleValues to keep it.
  struct ModuleAux {
    uint64_t type_id;
    int when;
    std::string body;
  };
  std::vector<Function> functions;
  std::vector<ModuleAux> module_aux;

  void Clear() {
    functions.clear();
    module_aux.clear();
  }
};

}  // namespace backplane
