/*
 * Times asn1c's codec. The argument names a file of records: a line "TYPE LENGTH", then so many octets of BER, and so on.
 * Commands come from stdin, "decode ROUNDS" or "encode ROUNDS"; the answer is the CPU time of so many rounds over all
 * records in nanoseconds, or a line that says what failed. Decoding includes giving the value back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <asn_application.h>
#include <asn_internal.h>

extern asn_TYPE_descriptor_t *asn_pdu_collection[];

typedef struct {
    asn_TYPE_descriptor_t *type;
    size_t size;
    char *data;
    void *value;
} record;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int decode(record *r, void **value)
{
    asn_dec_rval_t done;
    asn_codec_ctx_t context;
    memset(&context, 0, sizeof context);
    context.max_stack_size = 10 * 1024 * 1024;
    *value = NULL;
    done = ber_decode(&context, r->type, value, r->data, r->size);
    return done.code == RC_OK && done.consumed == r->size;
}

int main(int argc, char **argv)
{
    static char room[1 << 22];
    record *records = NULL;
    size_t count = 0, i, rounds;
    char name[256], command[16];
    FILE *file = fopen(argv[argc - 1], "rb");
    record next;

    while (fscanf(file, "%255s %zu", name, &next.size) == 2) {
        asn_TYPE_descriptor_t **each;
        fgetc(file);
        for (each = asn_pdu_collection; *each && strcmp((*each)->name, name); each++)
            ;
        next.type = *each;
        next.data = malloc(next.size + 1);
        if (!next.type || fread(next.data, 1, next.size, file) != next.size || !decode(&next, &next.value)) {
            printf("%s is not read\n", name);
            return 1;
        }
        records = realloc(records, (count + 1) * sizeof next);
        records[count++] = next;
    }
    printf("ready\n");
    fflush(stdout);
    while (scanf("%15s %zu", command, &rounds) == 2) {
        double start = now();
        void *value;
        while (rounds--)
            for (i = 0; i < count; i++)
                if (command[0] == 'd') {
                    if (!decode(&records[i], &value))
                        return 1;
                    ASN_STRUCT_FREE(*records[i].type, value);
                } else if (der_encode_to_buffer(records[i].type, records[i].value, room, sizeof room).encoded < 0)
                    return 1;
        printf("%.0f\n", now() - start);
        fflush(stdout);
    }
    return 0;
}
