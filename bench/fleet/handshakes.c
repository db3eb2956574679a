/*
 * A load of connections that costs its own machine little: each is TCP, mutual TLS 1.3 with P-256, MQTT CONNECT, CONNACK,
 * DISCONNECT. Threads with blocking sockets: the broker sees as many handshakes at a time as there are threads.
 *
 *   handshakes PORT DEVICE_FOLDER THREADS SECONDS
 *
 * DEVICE_FOLDER has 0.pem, 1.pem ...: key and certificate of each thread. Prints a line of JSON: connections within the
 * seconds, how long those were, and the CPU of this process in them. The first second is not counted.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 64

static struct sockaddr_in broker;
static const char *device_folder;
static atomic_int running = 1;
static atomic_long connections, failures;
static char first_fault[256];
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;

static void failed(const char *what)
{
    pthread_mutex_lock(&fault_lock);
    if (first_fault[0] == '\0')
        snprintf(first_fault, sizeof first_fault, "%s", what);
    pthread_mutex_unlock(&fault_lock);
    atomic_fetch_add(&failures, 1);
}

static SSL_CTX *context_of(int thread)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.pem", device_folder, thread);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(context, "P-256") != 1 ||
        SSL_CTX_use_certificate_chain_file(context, path) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "handshakes: the device in %s can't be used\n", path);
        exit(1);
    }
    /* The broker's signature is checked all the same; who signed its certificate is the bench's own business. */
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

/* CONNECT of MQTT 3.1.1 with a clean session, and its CONNACK. */
static int say_hello(SSL *ssl, int thread)
{
    unsigned char packet[64] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 4, 0xb0, 0, 0};
    unsigned char answer[4];
    int name = snprintf((char *)packet + 14, sizeof packet - 14, "idle-c%d", thread);
    packet[1] = (unsigned char)(12 + name);
    packet[13] = (unsigned char)name;
    if (SSL_write(ssl, packet, 14 + name) != 14 + name)
        return 0;
    for (int got = 0; got < 4;) {
        int more = SSL_read(ssl, answer + got, 4 - got);
        if (more <= 0)
            return 0;
        got += more;
    }
    return answer[0] == 0x20 && answer[3] == 0;
}

static void connect_once(SSL_CTX *context, int thread)
{
    static const unsigned char disconnect[2] = {0xe0, 0};
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
        failed("no socket");
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (connect(fd, (struct sockaddr *)&broker, sizeof broker) != 0)
        failed("TCP");
    else if (SSL_connect(ssl) != 1)
        failed("the TLS handshake");
    else if (!say_hello(ssl, thread))
        failed("CONNECT");
    else {
        SSL_write(ssl, disconnect, 2);
        SSL_shutdown(ssl);
        atomic_fetch_add(&connections, 1);
    }
    SSL_free(ssl);
    close(fd);
}

static void *work(void *number)
{
    int thread = (int)(long)number;
    SSL_CTX *context = context_of(thread);
    while (atomic_load(&running))
        connect_once(context, thread);
    SSL_CTX_free(context);
    return NULL;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* User and system time of this process, seconds. */
static double cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "handshakes PORT DEVICE_FOLDER THREADS SECONDS\n");
        return 2;
    }
    broker.sin_family = AF_INET;
    broker.sin_port = htons((unsigned short)atoi(arguments[1]));
    broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    device_folder = arguments[2];
    int threads = atoi(arguments[3]), seconds = atoi(arguments[4]);
    if (threads < 1 || threads > MOST_THREADS || seconds < 1)
        return 2;

    pthread_t ids[MOST_THREADS];
    for (long i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, work, (void *)i);
    /* Everything warm; then a marker that the parent waits for, to look at the broker's own clock. */
    sleep(1);
    long before = atomic_load(&connections);
    double used = cpu(), begin = now();
    printf("begin\n");
    fflush(stdout);
    sleep((unsigned)seconds);
    long made = atomic_load(&connections) - before;
    double elapsed = now() - begin;
    printf("{\"connections\":%ld,\"failures\":%ld,\"seconds\":%.3f,\"cpu\":%.3f,\"fault\":\"%s\"}\n", made,
           atomic_load(&failures), elapsed, cpu() - used, first_fault);
    fflush(stdout);
    atomic_store(&running, 0);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    return 0;
}
