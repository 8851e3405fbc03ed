// SPDX-License-Identifier: BSD-3-Clause
// ModuleType, ModuleValue: from the server's calls to the module's callbacks.
#include "modhost/module_type.h"

#include <cstring>

#include "base/ascii.h"
#include "base/numbers.h"
#include "modhost/body_stream.h"
#include "modhost/digest.h"
#include "modhost/host.h"
#include "modhost/module_code.h"
#include "modhost/module_io.h"

namespace backplane {

namespace {

// Bytes of RedisModuleTypeMethods that a version has.
size_t MethodsSize(uint64_t version) {
  switch (version) {
    case 1:
      return offsetof(RedisModuleTypeMethods, aux_load);
    case 2:
      return offsetof(RedisModuleTypeMethods, free_effort);
    case 3:
      return offsetof(RedisModuleTypeMethods, mem_usage2);
    case 4:
      return offsetof(RedisModuleTypeMethods, aux_save2);
    default:
      return sizeof(RedisModuleTypeMethods);
  }
}

// A string for the length of a callback.
class ScopedString {
 public:
  explicit ScopedString(std::string_view bytes) : string_(NewModuleString(bytes)) {}
  ~ScopedString() { ReleaseModuleString(string_); }
  ScopedString(const ScopedString&) = delete;
  ScopedString& operator=(const ScopedString&) = delete;
  RedisModuleString* get() const { return string_; }

 private:
  RedisModuleString* string_;
};

// The database that a COPY, whose words are right, copies to.
int TargetOfCopy(const CommandContext& copy, int own) {
  for (size_t i = 3; i + 1 < copy.argc(); ++i) {
    if (!EqualsIgnoreCase(copy.arg(i), "db")) continue;
    return static_cast<int>(ParseInt64(copy.arg(i + 1)).value_or(own));
  }
  return own;
}

}  // namespace

ModuleType::ModuleType(Module* module, std::string name, int encver, uint64_t type_id,
                       const RedisModuleTypeMethods& methods)
    : Registration(module), name_(std::move(name)), encver_(encver), type_id_(type_id) {
  std::memcpy(&methods_, &methods, MethodsSize(methods.version));
  module->host().types().Add(this);
}

ModuleType::~ModuleType() { module()->host().types().Remove(this); }

ModuleValue::ModuleValue(ModuleType* type, void* data) : type_(type), data_(data) {
  type_->value_count().fetch_add(1, std::memory_order_relaxed);
}

ModuleValue::~ModuleValue() {
  if (data_ != nullptr && type_->methods().free != nullptr) {
    ModuleCode mark(*type_->module(), "free");
    type_->methods().free(data_);
  }
  type_->value_count().fetch_sub(1, std::memory_order_release);
}

void* ModuleValue::Exchange(void* data) {
  copy_.reset();
  return std::exchange(data_, data);
}

size_t ModuleValue::MemoryUsage(size_t samples) const {
  const RedisModuleTypeMethods& m = type_->methods();
  ModuleCallback mark(*type_->module(), "mem_usage");
  if (m.mem_usage2 != nullptr) {
    // The key is not part of Value's interface; MEMORY USAGE names it.
    const CommandContext* command = type_->module()->host().engine().current();
    const bool named =
        command != nullptr && command->argc() >= 3 && command->command().fullname == "memory|usage";
    ScopedString key(named ? command->arg(2) : "");
    RedisModuleKeyOptCtx where{.from_key = key.get()};
    if (named) where.from_db = const_cast<CommandContext*>(command)->db().index();
    return sizeof(*this) + m.mem_usage2(&where, data_, samples);
  }
  return sizeof(*this) + (m.mem_usage != nullptr ? m.mem_usage(data_) : 0);
}

size_t ModuleValue::FreeEffort() const {
  const RedisModuleTypeMethods& m = type_->methods();
  if (m.free_effort == nullptr && m.free_effort2 == nullptr) return 1;
  ModuleCallback mark(*type_->module(), "free_effort");
  ScopedString key("");
  size_t effort;
  if (m.free_effort2 != nullptr) {
    RedisModuleKeyOptCtx where;
    where.from_key = key.get();
    effort = m.free_effort2(&where, data_);
  } else {
    effort = m.free_effort(key.get(), data_);
  }
  return effort == 0 ? SIZE_MAX : effort;
}

std::unique_ptr<Value> ModuleValue::Clone() const {
  const RedisModuleTypeMethods& m = type_->methods();
  if (!can_clone()) return nullptr;
  // The keys are not part of Value's interface; the command that copies knows them.
  ModuleHost& host = type_->module()->host();
  const CommandContext* command = host.engine().current();
  const bool is_copy =
      command != nullptr && command->argc() >= 3 && command->command().name == "copy";
  ScopedString from(is_copy ? command->arg(1) : "");
  ScopedString to(is_copy ? command->arg(2) : "");
  ModuleCallback mark(*type_->module(), "copy");
  void* copy;
  if (m.copy2 != nullptr) {
    RedisModuleKeyOptCtx where{.from_key = from.get(), .to_key = to.get()};
    if (is_copy) {
      where.from_db = const_cast<CommandContext*>(command)->db().index();
      where.to_db = TargetOfCopy(*command, where.from_db);
    }
    copy = m.copy2(&where, data_);
  } else {
    copy = m.copy(from.get(), to.get(), data_);
  }
  return copy == nullptr ? nullptr : std::make_unique<ModuleValue>(type_, copy);
}

std::string ModuleValue::OwnDigest(std::string_view key, int db) const {
  if (type_->methods().digest == nullptr) return {};
  ScopedString name(key);
  RedisModuleDigest digest;
  digest.key = name.get();
  digest.db = db;
  {
    ModuleCallback mark(*type_->module(), "digest");
    type_->methods().digest(&digest, data_);
  }
  std::string bytes(reinterpret_cast<const char*>(digest.ordered), sizeof(digest.ordered));
  bytes.append(reinterpret_cast<const char*>(digest.unordered), sizeof(digest.unordered));
  return bytes;
}

// Announced by who writes a file; of DUMP, the command's.
std::string_view ModuleValue::SavedKey(int* db) const {
  ModuleHost& host = type_->module()->host();
  std::string_view key = host.types().TakeSavingKey(db);
  const CommandContext* command = host.engine().current();
  if (key.data() != nullptr || command == nullptr || command->argc() < 2) return key;
  const bool dump = command->command().name == "dump";
  const bool debug_object = command->argc() > 2 && EqualsIgnoreCase(command->arg(0), "debug") &&
                            EqualsIgnoreCase(command->arg(1), "object");
  if (!dump && !debug_object) return {};
  *db = const_cast<CommandContext*>(command)->db().index();
  return command->arg(dump ? 1 : 2);
}

void ModuleType::SaveBody(void* data, std::string_view key, int db, ValueWriter& writer) {
  RedisModuleIO io;
  io.type = this;
  io.writer = &writer;
  io.key_name = key;
  io.db = db;
  {
    ModuleCode mark(*module(), "rdb_save");
    methods_.rdb_save(&io, data);
  }
  writer.WriteLength(static_cast<uint64_t>(BodyOpcode::kEof));
}

bool ModuleType::Rewrite(void* data, std::string_view key, int db, ModuleValues::CommandOut& out) {
  if (methods_.aof_rewrite == nullptr) return false;
  RedisModuleIO io;
  io.type = this;
  io.aof = &out;
  io.key_name = key;
  io.db = db;
  ScopedString name(key);
  ModuleCode mark(*module(), "aof_rewrite");
  methods_.aof_rewrite(&io, name.get(), data);
  return !io.error;
}

void ModuleValue::Save(ValueWriter& writer) const {
  writer.WriteLength(type_->type_id());
  int db = -1;
  const std::string_view key = SavedKey(&db);
  type_->SaveBody(data_, key, db, writer);
}

void ModuleValue::Unlinked(std::string_view key, int db) const {
  const RedisModuleTypeMethods& m = type_->methods();
  if (m.unlink == nullptr && m.unlink2 == nullptr) return;
  ScopedString name(key);
  ModuleCallback mark(*type_->module(), "unlink");
  if (m.unlink2 != nullptr) {
    RedisModuleKeyOptCtx where{.from_key = name.get(), .from_db = db};
    m.unlink2(&where, data_);
  } else {
    m.unlink(name.get(), data_);
  }
}

}  // namespace backplane
