#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relay/admin/admin_handler.h"
#include "relay/admin/control_client.h"
#include "relay/admin/control_protocol.h"
#include "relay/admin/control_server.h"
#include "relay/store/account_store.h"
#include "relay/store/password.h"
#include "relay/store/store_thread.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

// A loop on a thread of its own with a control server.
class Running {
 public:
  Running(const std::string& run_directory, const std::function<LocalRequestServer::Handle(EventLoop&)>& handle) {
    std::promise<void> ready;
    thread_ = std::thread([this, &ready, run_directory, handle] {
      EventLoop loop;
      auto server = open_control_server(loop, run_directory, handle(loop));
      opened = server.has_value();
      loop_ = &loop;
      ready.set_value();
      loop.run();
    });
    ready.get_future().wait();
    REQUIRE(opened);
  }
  ~Running() {
    loop_->stop();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  bool opened = false;
  EventLoop* loop_ = nullptr;
  std::thread thread_;
};

std::function<LocalRequestServer::Handle(EventLoop&)> echo() {
  return [](EventLoop&) {
    return
        [](const LocalRequest& request, const LocalRequestServer::Respond& respond) { respond(request.line + "\n"); };
  };
}

int connect_to(const std::string& run_directory) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  control_socket_path(run_directory).copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return descriptor;
}

std::string read_all(int descriptor) {
  std::string text;
  char buffer[4'096];
  for (ssize_t count = 0; (count = ::read(descriptor, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  ::close(descriptor);
  return text;
}

// Sends octets as they are and reads until the server closes.
std::string talk(const std::string& run_directory, const std::string& octets) {
  const int descriptor = connect_to(run_directory);
  std::size_t sent = 0;
  while (sent < octets.size()) {
    const ssize_t count = ::send(descriptor, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  return read_all(descriptor);
}

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

void fill(SqliteQueueStore& store, std::uint64_t messages) {
  REQUIRE(store.begin());
  for (std::uint64_t id = 1; id <= messages; ++id) REQUIRE(store.add(test_message(id)));
  REQUIRE(store.commit());
}

}  // namespace

TEST_CASE("an error goes through the protocol with its kind and its text") {
  for (const ErrorKind kind : {ErrorKind::Malformed, ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Denied,
                               ErrorKind::Unavailable, ErrorKind::Exhausted, ErrorKind::Corrupt}) {
    const auto end = parse_reply_end(Json::parse(reply_text(fail(kind, "why \xff"))));
    REQUIRE(end);
    REQUIRE(end->error);
    CHECK(end->error->kind == kind);
    CHECK(end->error->detail == "why \xef\xbf\xbd");
  }
}

TEST_CASE("an answer ends with a line that says so, and where to go on") {
  AdminReply reply;
  reply.lines = {R"({"id":"x"})"};
  CHECK(reply_text(reply) == "{\"id\":\"x\"}\n{\"done\":true,\"exit\":0}\n");
  reply.next = QueueId(5);
  const std::string text = reply_text(reply);
  CHECK(text.ends_with("{\"done\":true,\"exit\":0,\"next\":\"" + QueueId(5).str() + "\"}\n"));
  CHECK_FALSE(parse_reply_end(Json::parse(reply.lines[0])));
  CHECK_FALSE(parse_reply_end(Json(7)));
  CHECK(parse_reply_end(Json{{"done", true}})->error);
  CHECK(parse_reply_end(Json{{"done", true}, {"exit", "0"}})->error);
}

TEST_CASE("a request is one JSON object") {
  CHECK(parse_request(R"({"command":"x"})"));
  for (const std::string& line : {std::string(), std::string("[]"), std::string("{"), std::string("{}{}"),
                                  std::string("\0", 1), std::string(500'000, '['), std::string(R"({"a":"\xff"})")}) {
    CHECK(parse_request(line).error().kind == ErrorKind::Malformed);
  }
}

TEST_CASE("the control socket answers one request on each connection") {
  const TemporaryDirectory run;
  const Running server(run.path(), echo());
  CHECK(talk(run.path(), "hello\nsecond\n") == "hello\n");
  CHECK(talk(run.path(), "\n") == "\n");
  const std::string long_line((1U << 20) - 10, 'x');
  CHECK(talk(run.path(), long_line + "\n").size() == long_line.size() + 1);
  struct stat status {};
  REQUIRE(::stat(control_socket_path(run.path()).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a request without end is refused") {
  const TemporaryDirectory run;
  const Running server(run.path(), echo());
  const std::string answer = talk(run.path(), std::string(2U << 20, 'x'));
  // The kernel may throw the answer away together with what was not read.
  if (!answer.empty()) CHECK(parse_reply_end(Json::parse(answer))->error->kind == ErrorKind::Malformed);
  CHECK(talk(run.path(), "hello\n") == "hello\n");
}

TEST_CASE("clients that go away early, and too many of them, do no harm") {
  const TemporaryDirectory run;
  const Running server(run.path(), echo());
  for (int i = 0; i < 20; ++i) ::close(connect_to(run.path()));
  std::vector<pollfd> idle;
  for (std::size_t i = 0; i < 3 * kMaxLocalConnections; ++i) idle.push_back({connect_to(run.path()), POLLIN, 0});
  std::size_t closed = 0;
  while (closed < 2 * kMaxLocalConnections) {
    REQUIRE(::poll(idle.data(), idle.size(), -1) > 0);
    closed = static_cast<std::size_t>(std::ranges::count_if(idle, [](const pollfd& one) { return one.revents != 0; }));
  }
  for (const pollfd& one : idle) ::close(one.fd);
  while (talk(run.path(), "hello\n") != "hello\n") std::this_thread::yield();
}

TEST_CASE("another user than root and the relay's own is not heard, even when the socket's mode lets him in") {
  if (::geteuid() != 0) return;  // only root can become somebody else
  const TemporaryDirectory run;
  const Running server(run.path(), echo());
  REQUIRE(::chmod(run.path().c_str(), 0755) == 0);
  REQUIRE(::chmod(control_socket_path(run.path()).c_str(), 0666) == 0);
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  control_socket_path(run.path()).copy(address.sun_path, sizeof address.sun_path - 1);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    char buffer[256];
    if (::setresuid(65'534, 65'534, 65'534) != 0) ::_exit(1);
    if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(2);
    (void)::send(client, "hello\n", 6, MSG_NOSIGNAL);
    const ssize_t count = ::read(client, buffer, sizeof buffer);
    ::_exit(count > 0 && ::write(pipe_ends[1], buffer, static_cast<std::size_t>(count)) == count ? 0 : 3);
  }
  ::close(pipe_ends[1]);
  ::close(client);
  const std::string answer = read_all(pipe_ends[0]);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(parse_reply_end(Json::parse(answer))->error->kind == ErrorKind::Denied);
}

TEST_CASE("the socket of a dead process is replaced, that of a living one is not, and no other file ever") {
  const TemporaryDirectory run;
  EventLoop loop;
  const auto handle = echo()(loop);
  {
    auto first = open_control_server(loop, run.path(), handle);
    REQUIRE(first);
    CHECK(open_control_server(loop, run.path(), handle).error().kind == ErrorKind::Conflict);
  }
  CHECK_FALSE(std::filesystem::exists(control_socket_path(run.path())));
  const int left_behind = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  control_socket_path(run.path()).copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(left_behind, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(left_behind);
  CHECK(open_control_server(loop, run.path(), handle));
  std::ofstream(control_socket_path(run.path())) << "notes";
  CHECK_FALSE(open_control_server(loop, run.path(), handle));
  CHECK(std::filesystem::file_size(control_socket_path(run.path())) == 5);
}

TEST_CASE("a run directory that cannot hold the socket is named") {
  EventLoop loop;
  const auto missing = open_control_server(loop, "/nonexistent.example", echo()(loop));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::NotFound);
  CHECK(missing.error().detail.find("/nonexistent.example/control") != std::string::npos);
  CHECK(open_control_server(loop, "/" + std::string(200, 'x'), echo()(loop)).error().kind == ErrorKind::Malformed);
}

TEST_CASE("a server that goes away before the answer is ready is not called back") {
  const TemporaryDirectory run;
  EventLoop loop;
  LocalRequestServer::Respond kept;
  auto server = open_control_server(loop, run.path(), [&](const LocalRequest&, LocalRequestServer::Respond respond) {
    kept = std::move(respond);
    loop.stop();
  });
  REQUIRE(server);
  const int client = connect_to(run.path());
  REQUIRE(::send(client, "hello\n", 6, 0) == 6);
  loop.run();
  REQUIRE(kept);
  server->reset();
  kept("too late\n");
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(read_all(client).empty());
}

TEST_CASE("commands are run by the relay that listens, and their effects are told before the answer") {
  const TemporaryDirectory run;
  const TemporaryDirectory state;
  auto store = open_store(state);
  fill(*store, 2 * kMaxAdminMessages + 5);
  StoreThread thread(std::move(store), {});
  std::atomic<std::size_t> retried{0};
  std::atomic<std::size_t> dropped{0};
  {
    const Running server(run.path(), [&](EventLoop& loop) {
      return admin_handler({thread,
                            loop,
                            {},
                            {[](std::size_t) {
                               QueueOverview overview;
                               overview.recipients = 7;
                               return overview;
                             },
                             [] {
                               return std::vector<DestinationLoad>{{"slow.example", 7, 0, 0, WallTime(), "no route"}};
                             }},
                            [&](const AdminEffects& effects) {
                              retried += effects.retry.size();
                              dropped += effects.dropped.size();
                            }});
    });
    auto lines = run_admin(run.path(), state.path(), {{"command", "queue list"}});
    REQUIRE(lines);
    CHECK(lines->size() == 2 * kMaxAdminMessages + 5);
    REQUIRE(run_admin(run.path(), state.path(), {{"command", "queue retry"}, {"all", true}}));
    CHECK(retried == 2 * kMaxAdminMessages + 5);
    REQUIRE(run_admin(run.path(), state.path(), {{"command", "queue drop"}, {"id", QueueId(1).str()}}));
    CHECK(dropped == 1);
    const auto missing = run_admin(run.path(), state.path(), {{"command", "queue show"}, {"id", QueueId(1).str()}});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::NotFound);
    const auto top = run_admin(run.path(), state.path(), {{"command", "top"}, {"rows", 5}, {"operator", "ann"}});
    REQUIRE(top);
    CHECK(top->at(0)["recipients"] == 7);
    const auto destinations = run_admin(run.path(), state.path(), {{"command", "destinations"}});
    REQUIRE(destinations);
    CHECK(destinations->at(0)["paused_until"] == "1970-01-01T00:00:00Z");
    const auto acts = run_admin(run.path(), state.path(), {{"command", "audit list"}});
    REQUIRE(acts);
    CHECK(acts->at(0)["command"] == "queue drop");
    CHECK(acts->at(0)["uid"] == ::getuid());
    CHECK(run_admin(run.path(), state.path(), {{"command", "nonsense"}}).error().kind == ErrorKind::Malformed);
    CHECK(talk(run.path(), "nonsense\n").starts_with("{\"done\":true,\"exit\":65,"));
  }
  // It does not listen any more, but it has the store.
  const auto held = run_admin(run.path(), state.path(), {{"command", "queue list"}});
  REQUIRE_FALSE(held);
  CHECK(held.error().kind == ErrorKind::Conflict);
}

TEST_CASE("without a relay commands are run on the store, and undone when they fail") {
  const TemporaryDirectory run;
  const TemporaryDirectory state;
  fill(*open_store(state), kMaxAdminMessages + 1);
  REQUIRE(run_admin(run.path(), state.path(), {{"command", "account add"}, {"name", "shop"}, {"password", "secret"}}));
  const auto account = open_store(state)->accounts().find("shop");
  REQUIRE(account);
  CHECK(verify_password("secret", account->password_hash));
  CHECK(run_admin(run.path(), state.path(), {{"command", "account add"}, {"name", "shop"}, {"password", "x"}})
            .error()
            .kind == ErrorKind::Conflict);
  CHECK(
      run_admin(run.path(), state.path(), {{"command", "account add"}, {"name", "b"}, {"password", ""}}).error().kind ==
      ErrorKind::Malformed);
  const auto dropped = run_admin(run.path(), state.path(), {{"command", "queue drop"}, {"all", true}});
  REQUIRE(dropped);
  CHECK(dropped->size() == kMaxAdminMessages + 1);
  CHECK(open_store(state)->message_count() == 0);
}

TEST_CASE("without a relay and a state directory the command says what is missing, and makes nothing") {
  const TemporaryDirectory run;
  const auto lines = run_admin(run.path(), run.path() + "/state", {{"command", "queue list"}});
  REQUIRE_FALSE(lines);
  CHECK(lines.error().kind == ErrorKind::NotFound);
  CHECK_FALSE(std::filesystem::exists(run.path() + "/state"));
}

TEST_CASE("a relay that closes without an answer is an error, not an empty answer") {
  const TemporaryDirectory run;
  const Running server(run.path(), [](EventLoop&) {
    return [](const LocalRequest&, const LocalRequestServer::Respond& respond) { respond("{\"id\":1}\n"); };
  });
  CHECK(run_admin(run.path(), run.path(), {{"command", "queue list"}}).error().kind == ErrorKind::Unavailable);
}
