// SPDX-License-Identifier: BSD-3-Clause
// Symbols of mapped ELF files: .symtab when the file has one, .dynsym else.
#include "base/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include <cstdlib>
#include <span>

namespace backplane {
namespace {

struct Object {
  uintptr_t address;  // looked for
  bool found = false;
  uintptr_t base = 0;  // what file addresses are relative to
  std::string path;
};

int VisitObject(dl_phdr_info* info, size_t, void* data) {
  auto& object = *static_cast<Object*>(data);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (object.address < begin || object.address >= begin + segment.p_memsz) continue;
    object.found = true;
    object.base = info->dlpi_addr;
    // The program itself has no name in this list.
    object.path = info->dlpi_name[0] == '\0' ? "/proc/self/exe" : info->dlpi_name;
    return 1;
  }
  return 0;
}

class MappedFile {
 public:
  explicit MappedFile(const char* path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0) {
      void* mapped =
          mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
      if (mapped != MAP_FAILED) {
        bytes_ = {static_cast<const char*>(mapped), static_cast<size_t>(info.st_size)};
      }
    }
    if (fd >= 0) close(fd);
  }
  ~MappedFile() {
    if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // `count` structures at an offset; empty when the file is too short or they lie askew.
  template <class T>
  std::span<const T> At(uint64_t offset, uint64_t count) const {
    if (offset > bytes_.size() || count > (bytes_.size() - offset) / sizeof(T)) return {};
    if (offset % alignof(T) != 0) return {};
    return {reinterpret_cast<const T*>(bytes_.data() + offset), static_cast<size_t>(count)};
  }
  // The text at an offset, up to NUL or the end of the file.
  std::string TextAt(uint64_t offset) const {
    if (offset >= bytes_.size()) return {};
    const char* begin = bytes_.data() + offset;
    const size_t room = bytes_.size() - offset;
    size_t size = 0;
    while (size < room && begin[size] != '\0') ++size;
    return {begin, size};
  }

 private:
  std::span<const char> bytes_;
};

// Looks the file address up in one symbol table.
bool FindInTable(const MappedFile& file, std::span<const ElfW(Shdr)> sections,
                 const ElfW(Shdr) & table, uint64_t address, CodePlace* place) {
  if (table.sh_link >= sections.size()) return false;
  const uint64_t names = sections[table.sh_link].sh_offset;
  for (const ElfW(Sym) & symbol :
       file.At<ElfW(Sym)>(table.sh_offset, table.sh_size / sizeof(ElfW(Sym)))) {
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    if (address < symbol.st_value || address >= symbol.st_value + symbol.st_size) continue;
    place->function = file.TextAt(names + symbol.st_name);
    place->offset = address - symbol.st_value;
    return true;
  }
  return false;
}

void FindInFile(const MappedFile& file, uint64_t address, CodePlace* place) {
  const auto header = file.At<ElfW(Ehdr)>(0, 1);
  if (header.empty() || std::string_view(reinterpret_cast<const char*>(header[0].e_ident),
                                         SELFMAG) != std::string_view(ELFMAG, SELFMAG)) {
    return;
  }
  const auto sections = file.At<ElfW(Shdr)>(header[0].e_shoff, header[0].e_shnum);
  for (const unsigned wanted : {unsigned{SHT_SYMTAB}, unsigned{SHT_DYNSYM}}) {
    for (const ElfW(Shdr) & section : sections) {
      if (section.sh_type != wanted) continue;
      if (FindInTable(file, sections, section, address, place)) return;
    }
  }
}

std::string Demangled(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (text == nullptr) return name;
  std::string result = text;
  std::free(text);
  return result;
}

}  // namespace

CodePlace FindCode(const void* address) {
  Object object{.address = reinterpret_cast<uintptr_t>(address), .path = {}};
  dl_iterate_phdr(VisitObject, &object);
  if (!object.found) return {};
  CodePlace place{object.path, {}, object.address - object.base};
  const MappedFile file(object.path.c_str());
  FindInFile(file, object.address - object.base, &place);
  if (!place.function.empty()) place.function = Demangled(place.function);
  return place;
}

const void* CrashAddress(const void* signal_context) {
  const mcontext_t& registers = static_cast<const ucontext_t*>(signal_context)->uc_mcontext;
#if defined(__x86_64__)
  Object object{.address = static_cast<uintptr_t>(registers.gregs[REG_RIP]), .path = {}};
  dl_iterate_phdr(VisitObject, &object);
  if (object.found) return reinterpret_cast<const void*>(object.address);
  // The call has just pushed its return address, which stands behind the call.
  const auto* stack = reinterpret_cast<const uintptr_t*>(registers.gregs[REG_RSP]);
  return reinterpret_cast<const void*>(*stack - 1);
#elif defined(__aarch64__)
  Object object{.address = static_cast<uintptr_t>(registers.pc), .path = {}};
  dl_iterate_phdr(VisitObject, &object);
  if (object.found) return reinterpret_cast<const void*>(object.address);
  constexpr size_t kLinkRegister = 30;
  return reinterpret_cast<const void*>(registers.regs[kLinkRegister] - 1);
#else
  static_cast<void>(registers);
  return nullptr;
#endif
}

std::string CodePlaceText(const CodePlace& place) {
  if (place.object.empty()) return "?";
  const std::string file = place.object.substr(place.object.rfind('/') + 1);
  if (place.function.empty()) return file + "+" + std::to_string(place.offset);
  return place.function + "+" + std::to_string(place.offset) + " (" + file + ")";
}

}  // namespace backplane
