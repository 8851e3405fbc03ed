// SPDX-License-Identifier: BSD-3-Clause
// One function for each area of the API: it adds the area's rows to the table. A new area is a file
// beside this one, a line here and one in areas.cc. Explicit, because the linker drops objects of
// static libraries that register themselves.
#pragma once

namespace backplane {

class ApiTable;

void RegisterAllocationApi(ApiTable& table);
void RegisterBlockingApi(ApiTable& table);
void RegisterCallApi(ApiTable& table);
void RegisterCallReplyApi(ApiTable& table);
void RegisterClientApi(ApiTable& table);
void RegisterClusterApi(ApiTable& table);
void RegisterCommandApi(ApiTable& table);
void RegisterCommandFilterApi(ApiTable& table);
void RegisterCommandInfoApi(ApiTable& table);
void RegisterConfigApi(ApiTable& table);
void RegisterDataSetApi(ApiTable& table);
void RegisterDataTypeApi(ApiTable& table);
void RegisterDefragApi(ApiTable& table);
void RegisterDictApi(ApiTable& table);
void RegisterEventLoopApi(ApiTable& table);
void RegisterEvictionApi(ApiTable& table);
void RegisterForkApi(ApiTable& table);
void RegisterInfoApi(ApiTable& table);
void RegisterDigestApi(ApiTable& table);
void RegisterHashApi(ApiTable& table);
void RegisterIoApi(ApiTable& table);
void RegisterKeyApi(ApiTable& table);
void RegisterListApi(ApiTable& table);
void RegisterLogApi(ApiTable& table);
void RegisterModuleInfoApi(ApiTable& table);
void RegisterNotificationApi(ApiTable& table);
void RegisterReplicationApi(ApiTable& table);
void RegisterReplyApi(ApiTable& table);
void RegisterScanApi(ApiTable& table);
void RegisterServerEventApi(ApiTable& table);
void RegisterSharedApi(ApiTable& table);
void RegisterStreamKeyApi(ApiTable& table);
void RegisterStringApi(ApiTable& table);
void RegisterStringKeyApi(ApiTable& table);
void RegisterThreadApi(ApiTable& table);
void RegisterTimerApi(ApiTable& table);
void RegisterUserApi(ApiTable& table);
void RegisterZsetApi(ApiTable& table);

}  // namespace backplane
