// SPDX-License-Identifier: BSD-3-Clause
// MappedModule: the code of a module in this process. The dynamic loader knows objects by name and
// inode and gives one that is mapped already out again, with all its variables as they are; so a
// file that is to be mapped a second time is mapped from a private copy. Engine thread.
//
// docs/design/module-files.md has what was found out about the loader, and what it asks of
// operators.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "modhost/module_file.h"

namespace backplane {

// Addresses [begin, end) of one segment.
struct CodeRange {
  const void* begin;
  const void* end;
};

class MappedModule {
 public:
  // Runs the constructors of the file. The error is the loader's text.
  static Result<std::unique_ptr<MappedModule>> Map(ModuleFile file);
  // Unmaps, unless KeepForever was called.
  ~MappedModule();
  MappedModule(const MappedModule&) = delete;
  MappedModule& operator=(const MappedModule&) = delete;

  const ModuleFile& file() const { return file_; }
  // Null when the module does not export it.
  void* Symbol(const char* name) const;
  bool Contains(const void* address) const;
  const std::vector<CodeRange>& ranges() const { return ranges_; }

  enum class Unmapped { kYes, kKept };
  // Runs the destructors of the file and unmaps it. kKept: the loader keeps the code (a C++ module
  // with unique symbols, or linked with nodelete); its variables keep their values.
  Unmapped Unmap();
  // The code stays until the process ends: a thread may run it.
  void KeepForever() { handle_ = nullptr; }

 private:
  MappedModule(ModuleFile file, int copy_fd, void* handle);
  void FindRanges();

  ModuleFile file_;
  int copy_fd_;  // of the private copy, whose name leads to it; -1 without one
  void* handle_;
  std::vector<CodeRange> ranges_;
};

}  // namespace backplane
