// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleKey: opening, refreshing, closing.
#include "modhost/key.h"

#include <cstring>

#include "modhost/api_signatures.h"
#include "modhost/host.h"
#include "value/hash_value.h"
#include "value/set_value.h"

using backplane::Database;
using backplane::Entry;
using backplane::Keyspace;
using backplane::Module;
using backplane::TypeId;

uint64_t RedisModuleKey::Epoch() const { return module->host().data_epoch(); }

void RedisModuleKey::Hash() {
  hash = backplane::HashBytes(name);
  hashed = true;
}

void RedisModuleKey::Refresh() {
  found = db->Peek(key());
  seen_epoch = Epoch();
  zset.active = false;
  stream.reader.reset();
}

RedisModuleString* RedisModuleKey::NameString() {
  if (name_string == nullptr) name_string = backplane::NewModuleString(name);
  return name_string;
}

void RedisModuleKey::SetEntry(Entry* entry) {
  found = entry;
  module->host().NoteEntryMove();
  seen_epoch = Epoch();
}

void RedisModuleKey::Changed() {
  changed = true;
  zset.active = false;
  db->keyspace().AddDirty(1);
}

namespace backplane {

namespace {

RedisModuleKey* NewKey(RedisModuleCtx* ctx, Database& db, RedisModuleString* name, int mode) {
  ModuleHost& host = ctx->host();
  RedisModuleKey* key = host.keys().Take();
  const std::string_view bytes = name->view();
  if (bytes.size() <= RedisModuleKey::kNameRoom) {
    if (!bytes.empty()) std::memcpy(key->name_room, bytes.data(), bytes.size());
    key->name = {key->name_room, bytes.size()};
  } else {
    RetainModuleString(name);
    key->name_string = name;
    key->name = name->view();
  }
  key->ctx = ctx;
  key->module = ctx->module;
  key->db = &db;
  key->mode = mode;
  key->changed = false;
  key->zset.active = false;
  key->stream.active = false;
  key->stream.reader.reset();
  return key;
}

}  // namespace

RedisModuleKey* OpenModuleKey(RedisModuleCtx* ctx, RedisModuleString* name, int mode) {
  constexpr int kQuiet =
      REDISMODULE_OPEN_KEY_NOTOUCH | REDISMODULE_OPEN_KEY_NOSTATS | REDISMODULE_OPEN_KEY_NONOTIFY;
  constexpr int kWithoutEffects = REDISMODULE_OPEN_KEY_NOEXPIRE | REDISMODULE_OPEN_KEY_NOEFFECTS;
  Database& db = ctx->db();
  Key wanted(name->view());
  Entry* entry;
  if ((mode & kWithoutEffects) != 0) [[unlikely]] {
    entry = db.PeekWithoutEffects(wanted);
  } else if ((mode & kQuiet) != 0) [[unlikely]] {
    entry = db.Peek(wanted);
  } else if ((mode & REDISMODULE_WRITE) != 0) {
    entry = db.FindForWrite(wanted);
  } else {
    entry = db.FindForRead(wanted);
  }
  if (entry == nullptr && (mode & REDISMODULE_WRITE) == 0) return nullptr;
  RedisModuleKey* key = NewKey(ctx, db, name, mode);
  key->hash = wanted.hash;
  key->hashed = true;
  key->found = entry;
  key->seen_epoch = ctx->host().data_epoch();
  return key;
}

RedisModuleKey* OpenModuleKeyAt(RedisModuleCtx* ctx, Database& db, RedisModuleString* name,
                                Entry* entry, int mode) {
  RedisModuleKey* key = NewKey(ctx, db, name, mode);
  key->hashed = false;
  key->found = entry;
  key->seen_epoch = ctx->host().data_epoch();
  return key;
}

void CloseModuleKey(RedisModuleKey* key) {
  // As in the field, a key opened for writing counts as modified, unless the module signals itself.
  if (key->writable() && !key->module->HasOption(REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED)) {
    key->db->keyspace().KeyModified(*key->db, key->name);
  }
  if (key->name_string != nullptr) {
    ReleaseModuleString(key->name_string);
    key->name_string = nullptr;
  }
  key->module->host().keys().Give(key);
}

int ModuleKeyType(RedisModuleKey* key) {
  Entry* entry = key == nullptr ? nullptr : key->entry();
  if (entry == nullptr) return REDISMODULE_KEYTYPE_EMPTY;
  switch (entry->type()) {
    case TypeId::kString:
      return REDISMODULE_KEYTYPE_STRING;
    case TypeId::kList:
      return REDISMODULE_KEYTYPE_LIST;
    case TypeId::kSet:
      return REDISMODULE_KEYTYPE_SET;
    case TypeId::kZSet:
      return REDISMODULE_KEYTYPE_ZSET;
    case TypeId::kHash:
      return REDISMODULE_KEYTYPE_HASH;
    case TypeId::kModule:
      return REDISMODULE_KEYTYPE_MODULE;
    case TypeId::kStream:
      return REDISMODULE_KEYTYPE_STREAM;
  }
  return REDISMODULE_KEYTYPE_EMPTY;
}

void DeleteModuleKey(RedisModuleKey* key, bool lazy) {
  Entry* entry = key->entry();
  if (entry == nullptr) return;
  key->db->Delete(key->key(), lazy);
  key->SetEntry(nullptr);
  key->Changed();
}

void DeleteIfEmptied(RedisModuleKey* key) {
  Entry* entry = key->entry();
  // A stream may be empty and be there.
  if (entry == nullptr || entry->is_string() || entry->type() == TypeId::kModule ||
      entry->type() == TypeId::kStream) {
    return;
  }
  if (entry->value().length() == 0) DeleteModuleKey(key, false);
}

}  // namespace backplane
