// SPDX-License-Identifier: BSD-3-Clause
// MappedModule: mapping, private copies, unmapping.
#include "modhost/mapped_module.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace backplane {
namespace {

// What is looked for among the objects that are mapped.
struct Search {
  const ModuleFile* file = nullptr;
  bool found = false;
};

int VisitForFile(dl_phdr_info* info, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  const char* name = info->dlpi_name;
  struct stat status;
  search.found =
      search.file->path() == name || (name[0] == '/' && stat(name, &status) == 0 &&
                                      search.file->IsInode(status.st_dev, status.st_ino));
  return search.found ? 1 : 0;
}

bool IsMapped(const ModuleFile& file) {
  Search search{&file, false};
  dl_iterate_phdr(VisitForFile, &search);
  return search.found;
}

std::string FdPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// A copy of the file in memory that nothing can change any more. kIo.
Result<int> CopyOf(const ModuleFile& file) {
  struct stat info;
  const int fd = memfd_create("module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || fstat(file.fd(), &info) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return Fail(ErrorCode::kIo, std::string("private copy: ") + std::strerror(error));
  }
  off_t at = 0;
  while (at < info.st_size) {
    const ssize_t sent = sendfile(fd, file.fd(), &at, static_cast<size_t>(info.st_size - at));
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) {
      const int error = errno;
      close(fd);
      return Fail(ErrorCode::kIo, std::string("private copy: ") + std::strerror(error));
    }
  }
  fchmod(fd, S_IRUSR | S_IXUSR);
  fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return fd;
}

// The object that has the address of `begin`; its segments are added to `ranges`.
struct Segments {
  const void* begin;
  std::vector<CodeRange>* ranges;
};

int VisitForSegments(dl_phdr_info* info, size_t, void* data) {
  auto& wanted = *static_cast<Segments*>(data);
  std::vector<CodeRange> ranges;
  bool ours = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const char* begin = reinterpret_cast<const char*>(info->dlpi_addr) + segment.p_vaddr;
    ranges.push_back({begin, begin + segment.p_memsz});
    ours |= wanted.begin >= begin && wanted.begin < begin + segment.p_memsz;
  }
  if (!ours) return 0;
  *wanted.ranges = std::move(ranges);
  return 1;
}

}  // namespace

Result<std::unique_ptr<MappedModule>> MappedModule::Map(ModuleFile file) {
  int copy_fd = -1;
  std::string name = file.path();
  // A name without a slash would be searched for in the folders of libraries.
  if (name.find('/') == std::string::npos) name = "./" + name;
  if (file.pinned() || IsMapped(file) || !file.PathIsCurrent()) {
    BP_ASSIGN_OR_RETURN(copy_fd, CopyOf(file));
    name = FdPath(copy_fd);
  }
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    std::string why = dlerror();
    if (copy_fd >= 0) close(copy_fd);
    return Fail(ErrorCode::kInvalidArgument, why);
  }
  return std::unique_ptr<MappedModule>(new MappedModule(std::move(file), copy_fd, handle));
}

MappedModule::MappedModule(ModuleFile file, int copy_fd, void* handle)
    : file_(std::move(file)), copy_fd_(copy_fd), handle_(handle) {
  FindRanges();
}

MappedModule::~MappedModule() {
  const bool kept_for_ever = handle_ == nullptr && !ranges_.empty();
  const bool gone = kept_for_ever ? false : Unmap() == Unmapped::kYes;
  // Code that stays is known by the name of its copy, which must not lead to another file.
  if (copy_fd_ >= 0 && gone) close(copy_fd_);
}

void MappedModule::FindRanges() {
  // The handle is the loader's record of the object, which begins with its dynamic section.
  const auto* map = static_cast<const link_map*>(handle_);
  Segments wanted{map->l_ld, &ranges_};
  dl_iterate_phdr(VisitForSegments, &wanted);
}

void* MappedModule::Symbol(const char* name) const {
  if (handle_ == nullptr) return nullptr;
  void* symbol = dlsym(handle_, name);
  // Also libraries that the module needs are searched.
  return symbol != nullptr && Contains(symbol) ? symbol : nullptr;
}

bool MappedModule::Contains(const void* address) const {
  for (const CodeRange& range : ranges_) {
    if (address >= range.begin && address < range.end) return true;
  }
  return false;
}

MappedModule::Unmapped MappedModule::Unmap() {
  if (handle_ == nullptr) return ranges_.empty() ? Unmapped::kYes : Unmapped::kKept;
  dlclose(handle_);
  handle_ = nullptr;
  std::vector<CodeRange> left;
  if (!ranges_.empty()) {
    Segments wanted{ranges_.front().begin, &left};
    dl_iterate_phdr(VisitForSegments, &wanted);
  }
  if (!left.empty()) return Unmapped::kKept;
  ranges_.clear();
  return Unmapped::kYes;
}

}  // namespace backplane
