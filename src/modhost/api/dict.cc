// SPDX-License-Identifier: BSD-3-Clause
// API area: dictionaries.
#include "modhost/dict.h"

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"

namespace backplane {
namespace {

using Kind = RedisModuleCtx::Kind;

std::string_view BytesOf(void* key, size_t size) { return {static_cast<const char*>(key), size}; }

RedisModuleDict* CreateDict(RedisModuleCtx* ctx) {
  auto* dict = new RedisModuleDict;
  if (ctx != nullptr) ctx->Track(Kind::kDict, dict);
  return dict;
}

void FreeDict(RedisModuleCtx* ctx, RedisModuleDict* d) {
  if (ctx != nullptr && ctx->Has(kCtxAutoMemory)) ctx->Untrack(Kind::kDict, d);
  delete d;
}

uint64_t DictSize(RedisModuleDict* d) { return d->entries.size(); }

int Set(RedisModuleDict* d, std::string_view key, void* ptr) {
  return d->entries.try_emplace(std::string(key), ptr).second ? REDISMODULE_OK : REDISMODULE_ERR;
}
int DictSetC(RedisModuleDict* d, void* key, size_t keylen, void* ptr) {
  return Set(d, BytesOf(key, keylen), ptr);
}
int DictSet(RedisModuleDict* d, RedisModuleString* key, void* ptr) {
  return Set(d, key->view(), ptr);
}

int Replace(RedisModuleDict* d, std::string_view key, void* ptr) {
  auto [it, added] = d->entries.try_emplace(std::string(key), ptr);
  if (!added) it->second = ptr;
  // As in the field: OK says that the name is new.
  return added ? REDISMODULE_OK : REDISMODULE_ERR;
}
int DictReplaceC(RedisModuleDict* d, void* key, size_t keylen, void* ptr) {
  return Replace(d, BytesOf(key, keylen), ptr);
}
int DictReplace(RedisModuleDict* d, RedisModuleString* key, void* ptr) {
  return Replace(d, key->view(), ptr);
}

void* Get(RedisModuleDict* d, std::string_view key, int* nokey) {
  auto it = d->entries.find(key);
  if (nokey != nullptr) *nokey = it == d->entries.end() ? 1 : 0;
  return it == d->entries.end() ? nullptr : it->second;
}
void* DictGetC(RedisModuleDict* d, void* key, size_t keylen, int* nokey) {
  return Get(d, BytesOf(key, keylen), nokey);
}
void* DictGet(RedisModuleDict* d, RedisModuleString* key, int* nokey) {
  return Get(d, key->view(), nokey);
}

int Delete(RedisModuleDict* d, std::string_view key, void* oldval) {
  auto it = d->entries.find(key);
  if (it == d->entries.end()) return REDISMODULE_ERR;
  // oldval is the address of a pointer.
  if (oldval != nullptr) *static_cast<void**>(oldval) = it->second;
  d->entries.erase(it);
  return REDISMODULE_OK;
}
int DictDelC(RedisModuleDict* d, void* key, size_t keylen, void* oldval) {
  return Delete(d, BytesOf(key, keylen), oldval);
}
int DictDel(RedisModuleDict* d, RedisModuleString* key, void* oldval) {
  return Delete(d, key->view(), oldval);
}

// Places the iterator; false when nothing matches.
bool Seek(RedisModuleDictIter* di, std::string_view op, std::string_view key) {
  auto& entries = di->dict->entries;
  auto none = entries.end();
  di->at = none;
  if (op == "^") {
    di->at = entries.begin();
  } else if (op == "$") {
    if (!entries.empty()) di->at = std::prev(none);
  } else if (op == "==") {
    di->at = entries.find(key);
  } else if (op == ">") {
    di->at = entries.upper_bound(key);
  } else if (op == ">=") {
    di->at = entries.lower_bound(key);
  } else if (op == "<" || op == "<=") {
    auto above = op == "<" ? entries.lower_bound(key) : entries.upper_bound(key);
    if (above != entries.begin()) di->at = std::prev(above);
  }
  di->done = di->at == none;
  di->fresh = true;
  return !di->done;
}

RedisModuleDictIter* Start(RedisModuleDict* d, const char* op, std::string_view key) {
  auto* di = new RedisModuleDictIter(d);
  Seek(di, op, key);
  return di;
}
RedisModuleDictIter* DictIteratorStartC(RedisModuleDict* d, const char* op, void* key,
                                        size_t keylen) {
  return Start(d, op, BytesOf(key, keylen));
}
RedisModuleDictIter* DictIteratorStart(RedisModuleDict* d, const char* op, RedisModuleString* key) {
  return Start(d, op, key == nullptr ? std::string_view() : key->view());
}
void DictIteratorStop(RedisModuleDictIter* di) { delete di; }

int DictIteratorReseekC(RedisModuleDictIter* di, const char* op, void* key, size_t keylen) {
  return Seek(di, op, BytesOf(key, keylen)) ? REDISMODULE_OK : REDISMODULE_ERR;
}
int DictIteratorReseek(RedisModuleDictIter* di, const char* op, RedisModuleString* key) {
  return Seek(di, op, key->view()) ? REDISMODULE_OK : REDISMODULE_ERR;
}

// The current element, then a step; false at the end.
bool Step(RedisModuleDictIter* di, bool forward, void** dataptr) {
  di->fresh = false;
  if (di->done) return false;
  di->current = di->at->first;
  if (dataptr != nullptr) *dataptr = di->at->second;
  if (forward) {
    ++di->at;
    di->done = di->at == di->dict->entries.end();
  } else if (di->at == di->dict->entries.begin()) {
    di->done = true;
  } else {
    --di->at;
  }
  return true;
}

void* StepC(RedisModuleDictIter* di, bool forward, size_t* keylen, void** dataptr) {
  if (!Step(di, forward, dataptr)) return nullptr;
  if (keylen != nullptr) *keylen = di->current.size();
  return di->current.data();
}
void* DictNextC(RedisModuleDictIter* di, size_t* keylen, void** dataptr) {
  return StepC(di, true, keylen, dataptr);
}
void* DictPrevC(RedisModuleDictIter* di, size_t* keylen, void** dataptr) {
  return StepC(di, false, keylen, dataptr);
}

RedisModuleString* StepString(RedisModuleCtx* ctx, RedisModuleDictIter* di, bool forward,
                              void** dataptr) {
  if (!Step(di, forward, dataptr)) return nullptr;
  RedisModuleString* key = NewModuleString(di->current);
  if (ctx != nullptr) ctx->Track(Kind::kString, key);
  return key;
}
RedisModuleString* DictNext(RedisModuleCtx* ctx, RedisModuleDictIter* di, void** dataptr) {
  return StepString(ctx, di, true, dataptr);
}
RedisModuleString* DictPrev(RedisModuleCtx* ctx, RedisModuleDictIter* di, void** dataptr) {
  return StepString(ctx, di, false, dataptr);
}

int Compare(RedisModuleDictIter* di, std::string_view op, std::string_view key) {
  // With the element that was given last; before the first, with the one that will be it.
  if (di->fresh && di->done) return REDISMODULE_ERR;
  const int order = std::string_view(di->fresh ? di->at->first : di->current).compare(key);
  bool holds = false;
  if (op == "==") holds = order == 0;
  if (op == ">") holds = order > 0;
  if (op == ">=") holds = order >= 0;
  if (op == "<") holds = order < 0;
  if (op == "<=") holds = order <= 0;
  return holds ? REDISMODULE_OK : REDISMODULE_ERR;
}
int DictCompareC(RedisModuleDictIter* di, const char* op, void* key, size_t keylen) {
  return Compare(di, op, BytesOf(key, keylen));
}
int DictCompare(RedisModuleDictIter* di, const char* op, RedisModuleString* key) {
  return Compare(di, op, key->view());
}

}  // namespace

void RegisterDictApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CreateDict),
      BACKPLANE_API_ROW(FreeDict),
      BACKPLANE_API_ROW(DictSize),
      BACKPLANE_API_ROW(DictSetC),
      BACKPLANE_API_ROW(DictSet),
      BACKPLANE_API_ROW(DictReplaceC),
      BACKPLANE_API_ROW(DictReplace),
      BACKPLANE_API_ROW(DictGetC),
      BACKPLANE_API_ROW(DictGet),
      BACKPLANE_API_ROW(DictDelC),
      BACKPLANE_API_ROW(DictDel),
      BACKPLANE_API_ROW(DictIteratorStartC),
      BACKPLANE_API_ROW(DictIteratorStart),
      BACKPLANE_API_ROW(DictIteratorStop),
      BACKPLANE_API_ROW(DictIteratorReseekC),
      BACKPLANE_API_ROW(DictIteratorReseek),
      BACKPLANE_API_ROW(DictNextC),
      BACKPLANE_API_ROW(DictPrevC),
      BACKPLANE_API_ROW(DictNext),
      BACKPLANE_API_ROW(DictPrev),
      BACKPLANE_API_ROW(DictCompareC),
      BACKPLANE_API_ROW(DictCompare),
  };
  table.Add(rows);
}

}  // namespace backplane
