#include "relay/admin/admin_handler.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "relay/admin/control_protocol.h"

namespace waxwing {
namespace {

// A request on its way to the store thread and back; one thread after the other has it.
struct Errand {
  nlohmann::json request;
  WallTime now;
  Result<AdminReply> reply;
};

}  // namespace

LocalRequestServer::Handle admin_handler(StoreThread& store, EventLoop& loop,
                                         std::function<void(const AdminEffects&)> on_effects) {
  return [&store, &loop, on_effects = std::move(on_effects)](const std::string& line,
                                                             LocalRequestServer::Respond respond) {
    auto request = parse_request(line);
    if (!request) return respond(reply_text(tl::unexpected(std::move(request.error()))));
    auto errand = std::make_shared<Errand>(Errand{std::move(*request), loop.wall_now(), AdminReply{}});
    const auto work = [errand](SqliteQueueStore& queue) -> Result<void> {
      errand->reply = run_admin_command(errand->request, queue, errand->now);
      if (!errand->reply) return tl::unexpected(errand->reply.error());
      return {};
    };
    const auto finish = [&loop, errand, on_effects, respond = std::move(respond)](Result<void> done) {
      if (!done) errand->reply = tl::unexpected(std::move(done.error()));
      loop.post([errand, on_effects, respond] {
        if (errand->reply) on_effects(errand->reply->effects);
        respond(reply_text(errand->reply));
      });
    };
    store.run(work, finish);
  };
}

}  // namespace waxwing
